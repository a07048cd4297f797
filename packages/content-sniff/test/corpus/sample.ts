import { canonicalType } from '@org/content-sniff'

/** A file whose type is known, without a name that would give it away. */
export interface Sample {
  /** Where it comes from, for messages. */
  readonly name: string
  /** Canonical type that a perfect engine answers. */
  readonly mime: string
  readonly bytes: Uint8Array
}

/** Types that most uploads are; accuracy on them counts most. */
export const EVERYDAY: ReadonlySet<string> = new Set(
  `image/jpeg image/png image/gif image/webp image/avif image/heic image/bmp image/tiff image/x-icon image/svg+xml
  image/vnd.adobe.photoshop audio/mpeg audio/aac audio/mp4 audio/ogg audio/flac audio/wav audio/aiff audio/midi
  video/mp4 video/webm video/quicktime video/matroska video/vnd.avi video/mpeg video/ogg video/x-ms-asf video/3gpp
  font/woff font/woff2 font/ttf font/otf application/pdf application/postscript application/rtf application/msword
  application/vnd.ms-excel application/vnd.ms-powerpoint application/epub+zip
  application/vnd.openxmlformats-officedocument.wordprocessingml.document
  application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
  application/vnd.openxmlformats-officedocument.presentationml.presentation
  application/vnd.oasis.opendocument.text application/vnd.oasis.opendocument.spreadsheet
  application/vnd.oasis.opendocument.presentation text/plain text/csv text/tab-separated-values text/html
  application/xhtml+xml application/xml application/json text/calendar text/vcard message/rfc822 application/zip
  application/gzip application/x-tar application/x-bzip2 application/x-7z-compressed application/vnd.rar application/x-xz
  application/vnd.sqlite3 application/vnd.microsoft.portable-executable application/x-executable`
    .trim()
    .split(/\s+/),
)

/** How an answer fares: right, true but generic, nothing, or a contradiction. */
export type Score = 'exact' | 'parent' | 'none' | 'wrong'

const CONTAINERS: readonly (readonly [parent: string, isChild: RegExp])[] = [
  [
    'application/zip',
    /officedocument|opendocument|epub|\+zip|macroenabled|java-archive|android|vnd\.apple|3mf|usdz|xpinstall|kmz|xps|sun\.xml|visio|wheel|nuget|vsix|ios-app|appx/,
  ],
  [
    'application/x-cfb',
    /msword|ms-excel|ms-powerpoint|visio|outlook|publisher|x-msi|ms-project|works|x-hwp|stardivision|ole-encrypted/,
  ],
  ['application/xml', /\+xml$|plist|docbook|xfdf|ms-word\.xml/],
  ['application/json', /\+json$|ndjson/],
  ['application/gzip', /x-gtar/],
]

/** Names for the same thing that the alias table keeps apart on purpose. */
const EQUAL: readonly (readonly string[])[] = [
  ['image/png', 'image/apng'],
  ['audio/ogg', 'audio/opus', 'application/ogg', 'video/ogg', 'audio/x-speex'],
  ['video/x-ms-asf', 'audio/x-ms-wma', 'video/x-ms-wmv'],
  ['application/x-executable', 'application/x-sharedlib'],
  ['application/postscript', 'application/eps'],
  ['image/heic', 'image/heif'],
  ['video/mp4', 'video/x-m4v', 'audio/mp4'],
  ['video/matroska', 'audio/x-matroska', 'application/x-matroska'],
  ['audio/webm', 'video/webm'],
]

/** Scores an answer of any engine, spelling aside. */
export function score(answer: string | undefined, label: string): Score {
  const mime = canonicalType(answer ?? '')
  if (mime === label || EQUAL.some((group) => group.includes(mime) && group.includes(label))) return 'exact'
  if (mime === '' || mime === 'application/octet-stream' || mime === 'application/x-data') return 'none'
  if (CONTAINERS.some(([parent, isChild]) => parent === mime && isChild.test(label))) return 'parent'
  const isText =
    /^text\/|json|xml|yaml|toml|x-sh|subrip|bibtex|x-tex|rfc822|mbox|regedit|pem|mpegurl|scpls|pgp|postscript|rtf|diff|model\/|fdf|font-bdf|dxf|portable|xbitmap|xpixmap|debian-control/
  if (mime === 'text/plain' && isText.test(label)) return 'parent'
  return 'wrong'
}
