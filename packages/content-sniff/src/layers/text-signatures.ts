/** Viewers accept white space in front of a version; without any, five characters suffice for a browser. */
export const PDF_START: RegExp = /^(?:%PDF-|\s{1,64}%PDF-\d)/

/**
 * Texts that start with something unmistakable, tried in order on the text without byte order mark.
 *
 * No pattern may give a hostile text two ways to match the same characters: a head of spaces or comments has to fail
 * in linear time.
 */
export const TEXT_SIGNATURES: readonly (readonly [pattern: RegExp, mime: string])[] = [
  // A bare signature is a picture cut short; with more text behind it, it is text.
  [/^GIF8[79]a$/, 'image/gif'],
  [PDF_START, 'application/pdf'],
  [/^%!PS-AdobeFont|^%!FontType1/, 'application/x-font-type1'],
  [/^%!PS-Adobe-[\d.]+ EPSF/, 'application/eps'],
  [/^%!(?:PS|\s)/, 'application/postscript'],
  [/^\{\\rtf/, 'application/rtf'],
  [/^%FDF-\d/, 'application/fdf'],
  [/^WEBVTT(?:[ \t\r\n]|$)/, 'text/vtt'],
  [/^\s*\d+\r?\n\d\d:\d\d:\d\d[,.]\d{3} --> \d\d:\d\d:\d\d/, 'application/x-subrip'],
  [/^\s*BEGIN:VCALENDAR\r?\n/i, 'text/calendar'],
  [/^\s*BEGIN:VCARD\r?\n/i, 'text/vcard'],
  [/^-----BEGIN PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----/, 'application/pgp-keys'],
  [/^-----BEGIN PGP SIGNATURE-----/, 'application/pgp-signature'],
  [/^-----BEGIN PGP MESSAGE(?:, PART [\d/]+)?-----/, 'application/pgp-encrypted'],
  [/^-----BEGIN PKCS7-----/, 'application/pkcs7-mime'],
  [
    /^(?:[^-]{0,2048}\n)?-----BEGIN (?:(?:TRUSTED |X509 )?CERTIFICATE|[A-Z ]*(?:PRIVATE|PUBLIC) KEY|(?:NEW )?CERTIFICATE REQUEST|X509 CRL|(?:DH|EC) PARAMETERS)-----/,
    'application/pem-certificate-chain',
  ],
  [/^\/\* XPM \*\//, 'image/x-xpixmap'],
  [/^(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)?#define \w*_?width \d+\s+#define \w*_?height \d+/, 'image/x-xbitmap'],
  [/^P1\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s+[01]/, 'image/x-portable-bitmap'],
  [/^P2\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s+\d+/, 'image/x-portable-graymap'],
  [/^P3\s+(?:#[^\n]*\n\s*)*\d+\s+\d+\s+\d+/, 'image/x-portable-pixmap'],
  [/^ISO-10303-21;/, 'model/step'],
  [/^.{72}S {6}1\r?\n/, 'model/iges'],
  [/^\s*solid\b[^\n]*\n\s*(?:facet\s+normal|endsolid)\b/i, 'model/stl'],
  [/^ply\r?\nformat /, 'model/ply'],
  [/^#VRML V[12]\.0/, 'model/vrml'],
  [/^\s*0\r?\nSECTION\r?\n/, 'image/vnd.dxf'],
  [/^999\r?\n[^\n]*\n\s*0\r?\nSECTION\r?\n/, 'image/vnd.dxf'],
  [/^STARTFONT [\d.]+\r?\n/, 'application/x-font-bdf'],
  [/^StartFontMetrics [\d.]+/, 'application/x-font-afm'],
  [/^#EXTM3U(?=[^]{0,4096}#EXT-X-)/, 'application/vnd.apple.mpegurl'],
  [/^#EXTM3U/, 'audio/x-mpegurl'],
  [/^\s*\[playlist\]\r?\n/i, 'audio/x-scpls'],
  [/^(?:Windows Registry Editor Version 5\.00|REGEDIT4)\r?\n/, 'application/x-ms-regedit'],
  [/^WARC\/[\d.]+\r?\n/, 'application/warc'],
  [/^filedesc:\/\//, 'application/x-internet-archive'],
  [/^# v[23] git bundle\n/, 'application/x-git-bundle'],
  [/^!<arch>\n/, 'application/x-unix-archive'],
  [/^# Disk DescriptorFile/, 'application/x-vmdk'],
  [/^0707[01][0-7A-Fa-f]{70}/, 'application/x-cpio'],
  [
    /^d\d+:(?:announce|created by|comment|creation date|encoding|info|url-list|nodes)\S*?\d*[:i]/,
    'application/x-bittorrent',
  ],
  [/^(?:diff (?:-|--git )|Index: [^\n]+\n=+\n)/, 'text/x-diff'],
  [/^--- [^\n]+\n\+\+\+ [^\n]+\n@@ -\d/, 'text/x-diff'],
  [/^(?:#[^\n]*\n)*\s*msgid ""\s*\nmsgstr ""/, 'text/x-po'],
  [/^(?:\s*%[^\n]*\n)*\s*\\(?:documentclass|documentstyle|begin\{document\}|input\{|usepackage)/, 'application/x-tex'],
  [/^(?:\.\\"[^\n]*\n|'\\"[^\n]*\n|\.\s*\n)*\.(?:TH|Dd) /, 'text/troff'],
  [
    /^\s*@(?:article|book|inproceedings|misc|phdthesis|techreport|incollection|string|comment)\s*\{/i,
    'application/x-bibtex',
  ],
  [/^TY  - [A-Z]{2,6}\r?\n/, 'application/x-research-info-systems'],
  [/^%YAML 1\.\d/, 'application/yaml'],
  [/^---[ \t]*\r?\n(?:#[^\n]*\n|\s)*[\w"'.-]+:(?:[ \t][^\n]*)?\n(?![^]*\n---\s*\n)/, 'application/yaml'],
  [/^(?:openapi|swagger): ["']?\d/, 'application/yaml'],
  [/^\s*@(?:echo off|rem)\b/i, 'text/x-msdos-batch'],
  [/^<%@?\s*(?:page|taglib|include)\b/i, 'text/x-jsp'],
  [/^SIMPLE {2}= {20}T/, 'image/fits'],
  [/^YUV4MPEG2 /, 'video/x-yuv4mpeg'],
  [/^#\?(?:RADIANCE|RGBE)\n/, 'image/vnd.radiance'],
  [
    /^\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*|\/\/[^\n]*\n\s*)*#\s*(?:include\s*[<"][\w./+-]+[>"]|ifndef \w+\s*\n\s*#\s*define \w+)/,
    'text/x-c',
  ],
  [
    /^\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*|\/\/[^\n]*\n\s*)*package [\w.]+;\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)*(?:import [\w.*]+;|(?:public |final |abstract )*(?:class|interface|enum|record) )/,
    'text/x-java',
  ],
  [/^(?:Format: 3\.0|-----BEGIN PGP SIGNED MESSAGE-----[^]{0,64}Format: [13]\.)/, 'application/x-debian-control'],
  [/^-----BEGIN PGP SIGNED MESSAGE-----/, 'text/plain'],
]
