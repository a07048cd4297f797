import { SniffError } from '../errors.ts'
import { cleanFilename } from './names.ts'

/** Longest key that S3 accepts, in bytes of UTF-8. */
const LONGEST_KEY_BYTES = 1024

/** Folder that disk stores keep for themselves. */
export const RESERVED_FOLDER = '.content-sniff'

/**
 * Makes sure that a key names one object below the root of any store.
 *
 * @returns The key, unchanged.
 * @throws {@link SniffError} `SNIFF_BAD_KEY` for empty, absolute, climbing, overlong or unprintable keys, and for names
 *   that some file system gives a meaning of its own.
 */
export function checkKey(key: string): string {
  if (key === '' || Buffer.byteLength(key) > LONGEST_KEY_BYTES) {
    throw new SniffError(
      'SNIFF_BAD_KEY',
      `Expected a key of 1 to ${LONGEST_KEY_BYTES} bytes, got ${Buffer.byteLength(key)}`,
    )
  }
  for (const segment of key.split('/')) {
    if (segment === '' || segment !== cleanFilename(segment, '')) {
      throw new SniffError(
        'SNIFF_BAD_KEY',
        `Expected every segment of a key to be a plain file name, got ${JSON.stringify(segment.slice(0, 80))}; use \`cleanFilename\``,
      )
    }
  }
  return key
}
