/** A place where our answer is not the standard's, on purpose. */
export interface Difference {
  readonly why: string
  /** Names of the inputs it is about. */
  readonly vectors: RegExp
  readonly answer: (name: string) => string
}

const always = (mime: string) => (): string => mime

const NAMED: Readonly<Record<string, string>> = {
  ASF: 'video/x-ms-asf',
  'TIFF, big-endian': 'image/tiff',
  'TIFF, little-endian': 'image/tiff',
  WMF: 'image/wmf',
  'JPEG XL codestream': 'image/jxl',
  'JPEG XL container': 'image/jxl',
  'JPEG 2000 codestream': 'image/j2c',
  'extended M3U': 'audio/x-mpegurl',
  avc: 'video/mp4',
  avc1: 'video/mp4',
  avc2: 'video/mp4',
  '3gp4': 'video/3gpp',
  '3gp': 'video/3gpp',
  '3gp5': 'video/3gpp',
  M4V: 'video/x-m4v',
  M4A: 'audio/mp4',
  M4P: 'video/mp4',
  qt: 'video/quicktime',
  iso: 'video/mp4',
  isom: 'video/mp4',
  iso2: 'video/mp4',
  mmp4: 'video/mp4',
  avif: 'image/avif',
}
const NAMES = Object.keys(NAMED).join('|')

/** All of them. README.md says the same in prose. */
export const DIFFERENCES: readonly Difference[] = [
  {
    why: 'A browser names what it can show; we also name what it cannot, since it is to be stored under its type.',
    vectors: new RegExp(`^(?:${NAMES})(?:, first brand)?$`),
    answer: (name) => NAMED[name.replace(/, first brand$/, '')] ?? name,
  },
  {
    why: 'Letters alone prove nothing: texts start with BM and ID3 too, and neither is a picture or a song by that.',
    vectors: /^(?:BMP|ID3)$/,
    answer: always('text/plain'),
  },
  {
    why: 'Many Targa pictures start with the four bytes of an icon; an icon has a directory behind them.',
    vectors: /^Windows (?:icon|cursor)$/,
    answer: always('application/octet-stream'),
  },
  {
    why: 'The form type of a RIFF file is proof enough; a picture that ends there is flagged TOO_SHORT.',
    vectors: /^WebP without VP$/,
    answer: always('image/webp'),
  },
  {
    why: 'A byte order mark makes no text of the null bytes behind it.',
    vectors: /^UTF-(?:8|16LE) mark$/,
    answer: always('application/octet-stream'),
  },
  {
    why: 'A tag that the end of the file cuts off is still a tag: a page that was cut short stays a page.',
    vectors: /^".*<!?\w(?:[ \w]*\w)?"$/,
    answer: always('text/html'),
  },
  {
    why: 'A comment alone proves no HTML: program texts and Markdown start so too. What follows it decides.',
    vectors: /^".*<!--[ >]"$/,
    answer: always('text/plain'),
  },
]
