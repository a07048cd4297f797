import type { Sample } from './sample.ts'

const PROSE = `It was late when the courier came up the hill, and nobody at the mill had expected her.
She set the parcel down, asked for water, and told them what she had seen: three boats, no sails.
"They will be here by morning," she said; the miller, who was deaf, smiled and offered her bread.
`
const ROWS = [
  ['id', 'name', 'city', 'joined'],
  ['1', 'Anna Berg', 'Oslo', '2021-04-03'],
  ['2', 'Jean Petit', 'Lyon', '2020-11-19'],
  ['3', 'Mário Cruz', 'Porto', '2019-07-30'],
  ['4', 'Eva "Evi" Lang', 'Graz', '2022-01-05'],
]
const csv = (delimiter: string): string =>
  ROWS.map((row) =>
    row.map((cell) => (cell.includes('"') ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter),
  ).join('\n') + '\n'

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
const COMMENT = `<!-- ${'Copyright, all rights reserved. '.repeat(8)} -->\n`

/** Texts by type; each is also written with Windows line ends, a byte order mark and in UTF-16 where that is legal. */
const TEXTS: readonly (readonly [mime: string, name: string, text: string])[] = [
  ['text/plain', 'prose', PROSE.repeat(3)],
  ['text/plain', 'list', 'Things to buy:\n- bread, butter\n- milk\n- 2 apples, 3 pears\n'],
  ['text/plain', 'angle', '<someone@example.org> wrote:\n> I do not agree with <this>, sorry.\n'],
  ['text/plain', 'signature words', 'MZ was the mark of its author. BM and ID3 are others, GIF89a too.\n'],
  ['text/plain', 'BM', 'BM stands for bitmap, or for Bachelor of Music, depending.\n'],
  ['text/plain', 'ini', '[server]\nhost = localhost\nport = 8080\n\n[client]\nname = test, one\n'],
  [
    'text/plain',
    'log',
    '2026-01-02 10:00:00 INFO start\n2026-01-02 10:00:01 WARN slow, 31 ms\n2026-01-02 10:00:09 INFO stop\n',
  ],
  [
    'text/plain',
    'typescript',
    'export interface A {\n  a: string\n}\nexport declare const b: A\nexport type C = Record<string, A>\n',
  ],
  ['text/plain', 'long line', 'word '.repeat(3000)],
  [
    'text/html',
    'doctype',
    `<!DOCTYPE html>\n<html lang="en"><head><title>A</title></head><body><p>${PROSE}</p></body></html>\n`,
  ],
  ['text/html', 'upper case', '<HTML><HEAD><TITLE>x</TITLE></HEAD><BODY BGCOLOR=WHITE>hello</BODY></HTML>'],
  ['text/html', 'comment first', `${COMMENT}\n\n<html><body>${PROSE}</body></html>`],
  ['text/html', 'far down', `${'\n'.repeat(20_000)}<html><script>alert(1)</script>`],
  ['text/html', 'long comment', `<!--${'-x '.repeat(9000)}--><body onload=alert(1)>`],
  ['text/html', 'script', '<script>alert(document.domain)</script>'],
  ['text/html', 'iframe', '  <iframe src="javascript:alert(1)"></iframe>'],
  ['text/html', 'div', '<div class="a"><span>one</span></div>'],
  ['text/html', 'img', '<img src=x onerror=alert(1)>'],
  [
    'text/html',
    'old doctype',
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n<html></html>',
  ],
  [
    'application/xhtml+xml',
    'xhtml',
    `${XML}<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body/></html>`,
  ],
  [
    'application/xhtml+xml',
    'prefixed',
    `${XML}<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:script>alert(1)</h:script></h:html>`,
  ],
  ['image/svg+xml', 'svg', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>'],
  [
    'image/svg+xml',
    'svg doctype',
    `${XML}${COMMENT}<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [\n<!ENTITY ns_svg "http://www.w3.org/2000/svg">\n]>\n<svg xmlns="&ns_svg;"><g/></svg>`,
  ],
  [
    'image/svg+xml',
    'svg prefixed',
    `${XML}<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>alert(1)</s:script></s:svg>`,
  ],
  ['image/svg+xml', 'svg bare', '<svg onload="alert(1)"></svg>'],
  ['image/svg+xml', 'svg upper', '<SVG ONLOAD=alert(1)>'],
  ['application/xml', 'xml', `${XML}<catalog><book id="1"><title>A</title></book></catalog>`],
  ['application/xml', 'xml a', `${XML}<a><b/></a>`],
  ['application/xml', 'xml undeclared', '<config>\n  <entry key="a">1</entry>\n</config>\n'],
  ['application/rss+xml', 'rss', `${XML}<rss version="2.0"><channel><title>t</title></channel></rss>`],
  ['application/atom+xml', 'atom', `${XML}<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title></feed>`],
  [
    'application/rdf+xml',
    'rdf',
    `${XML}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description/></rdf:RDF>`,
  ],
  [
    'application/gpx+xml',
    'gpx',
    `${XML}<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="1" lon="2"/></gpx>`,
  ],
  [
    'application/vnd.google-earth.kml+xml',
    'kml',
    `${XML}<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark/></kml>`,
  ],
  [
    'application/xslt+xml',
    'xslt',
    `${XML}<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>`,
  ],
  ['application/mathml+xml', 'mathml', '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'],
  [
    'application/x-xml-plist',
    'plist',
    `${XML}<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0"><dict/></plist>`,
  ],
  [
    'application/xliff+xml',
    'xliff',
    `${XML}<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file/></xliff>`,
  ],
  ['application/ttml+xml', 'ttml', `${XML}<tt xmlns="http://www.w3.org/ns/ttml"><body/></tt>`],
  [
    'model/vnd.collada+xml',
    'dae',
    `${XML}<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1"/>`,
  ],
  [
    'application/vnd.recordare.musicxml+xml',
    'musicxml',
    `${XML}<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n<score-partwise version="3.1"/>`,
  ],
  ['text/csv', 'csv', csv(',')],
  ['text/csv', 'csv semicolon', csv(';')],
  ['text/csv', 'csv long', csv(',').repeat(900)],
  [
    'text/csv',
    'csv numbers',
    Array.from({ length: 60 }, (_, row) => [row, row * 2.5, -row, 1e3 + row].join(',')).join('\r\n'),
  ],
  ['text/csv', 'csv multi line', 'id,note\n1,"first line\nsecond line"\n2,"a, b"\n3,c\n'],
  ['text/tab-separated-values', 'tsv', csv('\t')],
  ['text/tab-separated-values', 'tsv long', csv('\t').repeat(700)],
  ['application/json', 'json', JSON.stringify({ a: 1, b: [true, null, 'x'], c: { d: 'é' } }, null, 2)],
  [
    'application/json',
    'json array',
    JSON.stringify(Array.from({ length: 6000 }, (_, id) => ({ id, name: `n${id}`, tags: ['a', 'b'] }))),
  ],
  ['application/json', 'json empty', '{}'],
  [
    'application/x-ndjson',
    'ndjson',
    Array.from({ length: 50 }, (_, id) => JSON.stringify({ id, at: 'now' })).join('\n'),
  ],
  [
    'application/x-ndjson',
    'ndjson long',
    Array.from({ length: 5000 }, (_, id) => JSON.stringify({ id, at: 'now' })).join('\n'),
  ],
  [
    'application/geo+json',
    'geojson',
    JSON.stringify({
      type: 'FeatureCollection',
      features: [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [1, 2] } }],
    }),
  ],
  ['application/ld+json', 'jsonld', JSON.stringify({ '@context': 'https://schema.org', '@type': 'Person', name: 'A' })],
  [
    'application/x-ipynb+json',
    'notebook',
    JSON.stringify({ cells: [{ cell_type: 'code', source: [] }], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
  ],
  ['model/gltf+json', 'gltf', JSON.stringify({ asset: { version: '2.0' }, scenes: [{ nodes: [0] }], nodes: [{}] })],
  ['application/yaml', 'yaml', '%YAML 1.2\n---\na: 1\nb:\n  - c\n'],
  ['text/vtt', 'vtt', 'WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n'],
  ['application/x-subrip', 'srt', '1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n'],
  [
    'text/calendar',
    'ics',
    'BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n',
  ],
  ['text/vcard', 'vcf', 'BEGIN:VCARD\nVERSION:3.0\nFN:Anna\nEND:VCARD\n'],
  [
    'message/rfc822',
    'mail',
    'Return-Path: <a@example.org>\nReceived: from x by y;\n\tMon, 2 Feb 2026 10:00:00 +0000\nFrom: a@example.org\nTo: b@example.org\nSubject: hello\nMessage-ID: <1@example.org>\n\nText.\n',
  ],
  [
    'multipart/related',
    'mhtml',
    'From: <Saved by Blink>\nSnapshot-Content-Location: https://example.org/\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/related;\n\ttype="text/html";\n\tboundary="b"\n\n--b\nContent-Type: text/html\n\n<html></html>\n',
  ],
  [
    'application/mbox',
    'mbox',
    'From a@example.org Mon Feb  2 10:00:00 2026\nFrom: a@example.org\nTo: b@example.org\nSubject: x\n\nText\n',
  ],
  ['application/rtf', 'rtf', '{\\rtf1\\ansi{\\fonttbl\\f0\\fswiss Helvetica;}\\f0\\pard Hello.\\par}'],
  [
    'application/postscript',
    'ps',
    '%!PS-Adobe-3.0\n%%BoundingBox: 0 0 100 100\n/Helvetica findfont 12 scalefont setfont\nshowpage\n',
  ],
  ['application/eps', 'eps', '%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n'],
  [
    'application/pem-certificate-chain',
    'pem',
    `-----BEGIN CERTIFICATE-----\n${'TUlJQ2'.repeat(40)}\n-----END CERTIFICATE-----\n`,
  ],
  [
    'application/pgp-keys',
    'pgp key',
    '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQENBF\n-----END PGP PUBLIC KEY BLOCK-----\n',
  ],
  ['application/pgp-encrypted', 'pgp message', '-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n'],
  [
    'application/pgp-signature',
    'pgp signature',
    '-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n',
  ],
  ['application/x-sh', 'sh', '#!/bin/sh\nset -eu\necho "$1"\n'],
  ['application/x-sh', 'bash', '#!/usr/bin/env bash\nfor i in 1 2; do echo $i; done\n'],
  ['text/x-python', 'python', '#!/usr/bin/python3.11\nprint("x")\n'],
  ['text/x-perl', 'perl', '#!/usr/bin/perl -w\nprint "x\\n";\n'],
  ['text/x-ruby', 'ruby', '#!/usr/bin/env ruby\nputs 1\n'],
  ['text/javascript', 'node', '#!/usr/bin/env -S node --no-warnings\nconsole.log(1)\n'],
  ['text/x-php', 'php', '<?php\necho $_GET["a"];\n'],
  ['text/x-msdos-batch', 'bat', '@echo off\r\necho hi\r\n'],
  ['text/x-c', 'c', '/* A program. */\n#include <stdio.h>\n\nint main(void) { return 0; }\n'],
  ['text/x-java', 'java', 'package org.example;\n\nimport java.util.List;\n\npublic class A { }\n'],
  ['application/x-tex', 'tex', '% A paper\n\\documentclass{article}\n\\begin{document}\nx\n\\end{document}\n'],
  ['text/troff', 'man', '.\\" A page\n.TH LS 1 "2026"\n.SH NAME\nls\n'],
  ['text/x-diff', 'diff', 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n'],
  ['text/x-po', 'po', 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'],
  ['application/x-bibtex', 'bib', '@article{a,\n  title = {T},\n  year = 2020\n}\n'],
  ['application/x-research-info-systems', 'ris', 'TY  - JOUR\nTI  - Title\nER  - \n'],
  ['application/x-ms-regedit', 'reg', 'Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\X]\r\n'],
  ['application/vnd.apple.mpegurl', 'hls', '#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:9,\na.ts\n'],
  ['audio/x-mpegurl', 'm3u', '#EXTM3U\n#EXTINF:123,Artist - Title\nsong.mp3\n'],
  ['audio/x-scpls', 'pls', '[playlist]\nFile1=http://example.org/\nNumberOfEntries=1\n'],
  ['model/step', 'step', "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nENDSEC;\n"],
  [
    'model/stl',
    'stl',
    'solid cube\n  facet normal 0 0 1\n    outer loop\n      vertex 0 0 0\n      vertex 1 0 0\n      vertex 0 1 0\n    endloop\n  endfacet\nendsolid cube\n',
  ],
  ['model/ply', 'ply', 'ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n0\n'],
  ['model/vrml', 'vrml', '#VRML V2.0 utf8\nShape { geometry Box { } }\n'],
  ['image/vnd.dxf', 'dxf', '  0\nSECTION\n  2\nHEADER\n  0\nENDSEC\n  0\nEOF\n'],
  ['image/x-xpixmap', 'xpm', '/* XPM */\nstatic char *x[] = {\n"1 1 1 1",\n"a c #000000",\n"a"};\n'],
  ['image/x-xbitmap', 'xbm', '#define x_width 8\n#define x_height 1\nstatic char x_bits[] = { 0x01 };\n'],
  ['application/fdf', 'fdf', '%FDF-1.2\n1 0 obj\n<< /FDF << >> >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n'],
  ['application/x-font-bdf', 'bdf', 'STARTFONT 2.1\nFONT x\nSIZE 8 75 75\nENDFONT\n'],
]

/** Formats whose signature is bytes rather than letters, so that another encoding breaks them. */
const BYTE_FORMATS =
  /postscript|eps|rtf|pem|pgp|fdf|stl|ply|diff|script|x-sh|python|perl|ruby|php|batch|bdf|mbox|rfc822|related|step|vrml|xpixmap|xbitmap|dxf|regedit/

/** Every text, in each encoding that is legal for it. */
export function textSamples(): Sample[] {
  return TEXTS.flatMap(([mime, name, text]) => {
    const samples: Sample[] = [{ name, mime, bytes: Buffer.from(text) }]
    if (!text.includes('\r'))
      samples.push({ name: `${name}, crlf`, mime, bytes: Buffer.from(text.replaceAll('\n', '\r\n')) })
    if (BYTE_FORMATS.test(mime)) return samples
    const declared = text.replace('encoding="UTF-8"', 'encoding="UTF-16"')
    samples.push({ name: `${name}, utf-8 mark`, mime, bytes: Buffer.from(`\ufeff${text}`) })
    samples.push({ name: `${name}, utf-16le`, mime, bytes: Buffer.from(`\ufeff${declared}`, 'utf16le') })
    samples.push({ name: `${name}, utf-16be`, mime, bytes: Buffer.from(`\ufeff${declared}`, 'utf16le').swap16() })
    return samples
  })
}
