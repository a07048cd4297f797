/** A small generator with a seed: the same mutants in every run. */
export function dice(seed: number): (sides: number) => number {
  let state = (seed * 2_654_435_761) >>> 0
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return (state >>> 5) % Math.max(1, sides)
  }
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x3c, 0x50, 0x22, 0x0a] as const

/** One hostile neighbour of a file: bytes flipped, cut, repeated, moved, or joined with another file. */
export function mutate(bytes: Uint8Array, other: Uint8Array, roll: (sides: number) => number): Uint8Array {
  const copy = Buffer.from(bytes)
  const at = roll(copy.length)
  switch (roll(8)) {
    case 0:
      for (let count = 1 + roll(16); count > 0; count -= 1) copy[roll(copy.length)] = roll(256)
      return copy
    case 1:
      for (let count = 1 + roll(8); count > 0; count -= 1)
        copy[roll(Math.min(copy.length, 512))] = EXTREMES[roll(EXTREMES.length)] ?? 0
      return copy
    case 2:
      return copy.subarray(0, at)
    case 3:
      return copy.subarray(at)
    case 4:
      return Buffer.concat([copy.subarray(0, at), other])
    case 5:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - roll(64)), at), copy.subarray(at)])
    case 6: {
      const piece = copy.subarray(at, at + 1 + roll(32))
      return Buffer.concat([copy.subarray(0, at), ...Array.from({ length: roll(2000) }, () => piece)])
    }
    default:
      if (copy.length >= 4)
        copy.writeUInt32LE([0xffffffff, 0x7fffffff, 0, copy.length][roll(4)] ?? 0, roll(copy.length - 3))
      return copy
  }
}

const fill = (text: string): Buffer => Buffer.alloc(65_536, text, 'latin1')

/** Heads made to keep a detector busy: repetitions of everything some rule looks for. */
export function hostileHeads(): (readonly [name: string, head: Buffer])[] {
  const repeated = [
    ' ',
    '\n',
    '\r\n',
    '\n \t',
    '<',
    '<!--',
    '<!-- -->',
    '<?',
    '<?xml ?>',
    '<!DOCTYPE ',
    '<!DOCTYPE a [',
    '<a ',
    '<a b="',
    '<a b=c ',
    '</a>',
    '<a>',
    '"',
    "'",
    '""',
    '"a",',
    'a,b\n',
    'a;b\n',
    'a\tb\n',
    '{',
    '[',
    '{"a":',
    '[1,',
    '"\\',
    '{"a":1}\n',
    '%',
    '%!',
    '\\',
    '{\\rtf',
    '/*',
    '/**/',
    '//\n',
    '#',
    '#include',
    '# \n',
    '-----BEGIN',
    '--- \n',
    '---\na:\n',
    'From: a\n',
    'From ',
    'A: b\n',
    'BEGIN:',
    'd8:announce',
    'PK\x03\x04',
    'PK\x01\x02',
    'PK\x05\x06',
    '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1',
    '\x1a\x45\xdf\xa3',
    'RIFF',
    'ftyp',
    '\xff\xd8\xff',
    '\xff\xfb',
    'ID3',
    '\x89PNG\r\n\x1a\n',
    'GIF89a',
    '\x00',
    '\xff',
    '\xfe\xff',
    '\xff\xfe',
    '\x1f\x8b\x08',
    'BM',
    'MZ',
    'OggS',
    'II*\0',
    'MM\0*',
    '0\nSECTION\n',
    'msgid ""\n',
    '.TH ',
    '@article{',
    'href=',
    'on',
    'url(',
    '<svg ',
    '<svg href=',
    '1\n00:00:0',
  ]
  const starts = [
    '',
    '<svg>',
    '<?xml version="1.0"?>',
    '<html>',
    '\ufeff',
    '\x1a\x45\xdf\xa3',
    'PK\x03\x04\x14\0\x08\0',
    '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1',
    '%PDF-1.4\n',
    '\xff\xd8\xff\xe0',
    'ftypisom',
    '\x1f\x8b\x08\0',
    '{"a":"',
    'ID3\x04\0\0\x7f\x7f\x7f\x7f',
  ]
  return starts.flatMap((start) =>
    repeated.map(
      (text) =>
        [
          `${JSON.stringify(start)} ${JSON.stringify(text)}`,
          Buffer.concat([Buffer.from(start, 'latin1'), fill(text)]).subarray(0, 65_536),
        ] as const,
    ),
  )
}
