import { create } from 'content-disposition'

import { extensionOf } from '../types/extension.ts'

/** Longest file name that ext4, NTFS and most browsers accept, in bytes of UTF-8. */
const LONGEST_NAME_BYTES = 255

/**
 * Control and format characters: line ends, zero-width marks, everything that turns the writing direction. The two
 * joiners stay, since emoji and several scripts need them.
 */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Not allowed in names on Windows; quotes and colons also confuse headers and alternate data streams. */
const FORBIDDEN = /[<>:"|?*]/g

/** Device names that Windows opens whatever the extension. */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i

/**
 * Makes a file name that is safe in a header, on every file system and in front of a person's eyes.
 *
 * Keeps the last path segment; cuts at a NUL (also `%00`); removes control and direction characters, leading dots and
 * trailing dots or spaces; replaces what Windows forbids; shortens to 255 bytes at a character's edge, extension kept.
 *
 * @param name - Anything a client sent.
 * @param fallback - Used when nothing is left.
 * @example
 * cleanFilename('..\\..\\report\u202Efdp.exe ') // 'reportfdp.exe'
 */
export function cleanFilename(name: string, fallback = 'file'): string {
  const [beforeNul = ''] = name.toWellFormed().split(/\0|%00/, 1)
  const segment = beforeNul.slice(Math.max(beforeNul.lastIndexOf('/'), beforeNul.lastIndexOf('\\')) + 1)
  const readable = segment
    .replace(/^[A-Za-z]:/, '')
    .normalize('NFC')
    .replace(INVISIBLE, '')
    .replace(FORBIDDEN, '_')
  const trimmed = trimName(readable)
  if (trimmed === '') return fallback
  return shorten(RESERVED.test(trimmed) ? `_${trimmed}` : trimmed)
}

const trimName = (name: string): string => name.replace(/^[\s.]+/u, '').replace(/[\s.]+$/u, '')

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= LONGEST_NAME_BYTES) return name
  const extension = extensionOf(name)
  const suffix = extension !== '' && Buffer.byteLength(extension) <= 16 ? `.${name.slice(-extension.length)}` : ''
  const stem = cutBytes(name.slice(0, name.length - suffix.length), LONGEST_NAME_BYTES - Buffer.byteLength(suffix))
  return trimName(stem + suffix)
}

/** The longest start of a text that fits into a number of bytes without cutting a character. */
function cutBytes(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes)).replace(/\ufffd+$/u, '')
}

/**
 * A Content-Disposition value for a file name: one line, valid for every client, cleaned by {@link cleanFilename}.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6266
 */
export function contentDisposition(type: 'inline' | 'attachment', filename: string | undefined): string {
  return create(filename === undefined ? undefined : cleanFilename(filename), { type })
}
