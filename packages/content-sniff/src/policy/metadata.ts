import { SniffError } from '../errors.ts'

/** S3 allows 2,048 bytes for all user metadata of an object; 48 of them carry a store's own mark. */
const MOST_BYTES = 2000

/** Key under which stores note which attempt wrote an object. */
export const RESERVED = 'sniff-upload'

/** RFC 2047 encoded word, the form in which S3 itself shows metadata outside ASCII. */
const ENCODED = /^=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=$/i

/**
 * Makes user metadata fit for headers: keys are checked, values outside visible ASCII become an RFC 2047 word.
 *
 * @throws {@link SniffError} `SNIFF_BAD_METADATA` for keys other than letters, digits and `-`, for two keys that differ in
 *   case only, for `sniff-upload`, which stores keep for themselves, for values that are no strings, and for more than
 *   2,000 bytes together.
 */
export function encodeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  let bytes = 0
  const encoded: Record<string, string> = {}
  for (const [key, value] of Object.entries(metadata)) {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/.test(key)) {
      throw new SniffError(
        'SNIFF_BAD_METADATA',
        `Expected metadata keys of letters, digits and "-", got ${JSON.stringify(key.slice(0, 80))}`,
      )
    }
    if (typeof value !== 'string') {
      throw new SniffError('SNIFF_BAD_METADATA', `Expected metadata "${key}" to be a string, got ${typeof value}`)
    }
    const plain = /^[\u0021-\u007e]([\u0020-\u007e]*[\u0021-\u007e])?$/.test(value) && !ENCODED.test(value)
    const text = plain || value === '' ? value : `=?UTF-8?B?${Buffer.from(value.toWellFormed()).toString('base64')}?=`
    const name = key.toLowerCase()
    if (name === RESERVED || name in encoded) {
      throw new SniffError('SNIFF_BAD_METADATA', `Expected metadata keys that are free, "${name}" is taken`)
    }
    bytes += name.length + text.length
    encoded[name] = text
  }
  if (bytes > MOST_BYTES) {
    throw new SniffError('SNIFF_BAD_METADATA', `Expected at most ${MOST_BYTES} bytes of metadata, got ${bytes}`)
  }
  return encoded
}

/** Undoes {@link encodeMetadata}. */
export function decodeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => {
      const word = ENCODED.exec(value)?.[1]
      return [key, word === undefined ? value : Buffer.from(word, 'base64').toString('utf8')]
    }),
  )
}
