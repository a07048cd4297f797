/** Bytes, and what the MIME Sniffing standard computes for them when no type is declared. */
export interface Vector {
  readonly name: string
  readonly bytes: Buffer
  readonly expected: string
}

/**
 * Signatures in hexadecimal, one a line: `type bytes name`.
 *
 * The inputs of web-platform-tests, `mimesniff/mime-type-sniffing` (unknown-mime-types, Aug 2026).
 */
const SIGNATURES = `
  image/x-icon                 00000100                                      Windows icon
  image/x-icon                 00000200                                      Windows cursor
  image/bmp                    424d                                          BMP
  image/gif                    474946383761                                  GIF87a
  image/gif                    474946383961                                  GIF89a
  image/webp                   524946460000000057454250 5650                 WebP with VP
  application/octet-stream     524946460000000057454250                      WebP without VP
  image/png                    89504e470d0a1a0a                              PNG
  image/jpeg                   ffd8ff                                        JPEG
  image/jpeg                   ffd8ffe000004a46494600                        JFIF
  text/plain                   2e736e64                                      basic audio
  audio/aiff                   464f524d0000000041494646                      AIFF
  audio/mpeg                   494433                                        ID3
  application/ogg              4f67675300                                    Ogg with its null byte
  text/plain                   4f676753                                      Ogg without it
  audio/midi                   4d54686400000006                              MIDI
  video/avi                    524946460000000041564920                      AVI
  audio/wave                   524946460000000057415645                      WAVE
  audio/wave                   524946460000000057415645 00000000000000005500 MP3 in WAVE
  video/webm                   1a45dfa3 8142 8284 7765626d                   WebM with default header values
  video/webm                   1a45dfa301ffffffffffffff42868101 42f78101 42f28104 42f38108 42878101 42858101 42828477 65626d WebM with explicit header values
  application/x-gzip           1f8b08                                        gzip
  application/zip              504b0304                                      zip
  application/x-rar-compressed 526172211a0700                                RAR
  application/octet-stream     000102030405060708 0b 0e0f101112131415161718191a 1c1d1e1f every binary byte
  text/plain                   2e524d46                                      RealAudio
  application/octet-stream     3026b2758e66cf11a6d900aa0062ce6c              ASF
  application/octet-stream     4d4d002a                                      TIFF, big-endian
  application/octet-stream     49492a00                                      TIFF, little-endian
  text/plain                   492049                                        TIFF, I I
  text/plain                   49492a                                        TIFF without its null byte
  text/plain                   d7cdc69a                                      WMF
  application/octet-stream     4a47030e00                                    ART 03
  application/octet-stream     4a47040e00                                    ART 04
  text/plain                   ff0a                                          JPEG XL codestream
  application/octet-stream     0000000c4a584c200d0a870a                      JPEG XL container
  text/plain                   664c6143                                      FLAC
  text/plain                   23455854 4d3355                               extended M3U
  application/octet-stream     0000000c6a5020200d0a870a                      JPEG 2000
  text/plain                   0d0a870a                                      JPEG 2000 box contents
  text/plain                   ff4fff51                                      JPEG 2000 codestream
  application/pdf              255044462d                                    PDF
  application/postscript       252150532d41646f62652d                        PostScript
  text/plain                   feff0000                                      UTF-16BE mark
  text/plain                   fffe0000                                      UTF-16LE mark
  text/plain                   efbbbf00                                      UTF-8 mark
`

/** File type boxes: the standard asks for a brand of MP4, in whichever place. */
const BRANDS = `mp4 mp41 mp42 avc avc1 avc2 3gp4 3gp 3gp5 M4V_ M4A_ M4P_ qt__ iso isom iso2 mmp4 avif`.split(/\s+/)

/** Starts of tags that make an unlabelled file a page, and what else the standard reads as scriptable. */
const MARKUP = '!DOCTYPE HTML,HTML,HEAD,SCRIPT,IFRAME,H1,DIV,FONT,TABLE,A,STYLE,TITLE,B,BODY,BR,P,!--'.split(',')
const WHITE_SPACE = ['\t', '\n', '\f', '\r', ' ']

/** Every signature: pictures, sound, films, archives, byte order marks, text and binary data. */
export function signatureVectors(): readonly Vector[] {
  const lines = SIGNATURES.trim()
    .split('\n')
    .map((line) => {
      const [, expected = '', bytes = '', name = ''] = /^\s*(\S+)\s+((?:[0-9a-f]{2,}\s+)+)(.*)$/.exec(line) ?? []
      return { name, expected, bytes: Buffer.from(bytes.replaceAll(/\s/g, ''), 'hex') }
    })
  const boxes = BRANDS.flatMap((written) => {
    const brand = Buffer.from(written.replaceAll('_', ' ').padEnd(4, '\0'))
    const name = written.replaceAll('_', '')
    const expected = name.startsWith('mp4') ? 'video/mp4' : 'application/octet-stream'
    return [
      { name: `${name}, first brand`, expected, bytes: box(brand, Buffer.alloc(4)) },
      { name: `${name}, second brand`, expected, bytes: box(Buffer.alloc(4), Buffer.alloc(4), brand, Buffer.alloc(4)) },
    ]
  })
  const range = (from: number, to: number): Buffer =>
    Buffer.from(Array.from({ length: to - from + 1 }, (_, index) => from + index))
  return [
    ...lines,
    ...boxes,
    { name: 'lower half without binary bytes', expected: 'text/plain', bytes: range(0x20, 0x7f) },
    { name: 'upper half', expected: 'text/plain', bytes: range(0x80, 0xff) },
  ]
}

/** Every tag and `<?xml`, behind nothing and behind white space of each kind, with each ending and with none. */
export function markupVectors(): readonly Vector[] {
  const spaces = ['', WHITE_SPACE.join(''), ...WHITE_SPACE.map((space) => space.repeat(5))]
  const texts = spaces.flatMap((space) => [
    ...MARKUP.flatMap((tag) => [
      ...[' ', '>'].map((end) => [`${space}<${tag}${end}`, 'text/html'] as const),
      [`${space}<${tag}`, 'text/plain'] as const,
    ]),
    [`${space}<?xml`, 'text/xml'] as const,
  ])
  return texts.map(([text, expected]) => ({ name: JSON.stringify(text), expected, bytes: Buffer.from(text) }))
}

function box(...brands: readonly Buffer[]): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(8 + 4 * brands.length)
  return Buffer.concat([size, Buffer.from('ftyp'), ...brands])
}
