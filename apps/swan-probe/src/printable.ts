/**
 * What acts on a terminal instead of being shown by it, or hides the order of what is shown: control characters, which
 * start every escape sequence, and the marks that turn the direction of writing. Tab and line feed are no part of it.
 *
 * @see https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
 */
const acting = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu

/** Shows what would act on a terminal as `\u001b`, so that a stranger's words stay words; keeps tabs and line feeds. */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(acting, (mark) =>
      mark === '\t' || mark === '\n' ? mark : mark === '\r' ? String.raw`\r` : escaped(mark),
    )
}

/** The same in one line: a line feed would start a line of its own. */
export const printableLine = (text: string): string => printable(text).replaceAll('\n', String.raw`\n`)

/** Escapes the same characters inside JSON, where they mean what they did; a line feed is layout there. */
export const printableJson = (json: string): string =>
  json.replaceAll(acting, (mark) => (mark === '\n' ? mark : escaped(mark)))

const escaped = (mark: string): string => String.raw`\u` + (mark.codePointAt(0) ?? 0).toString(16).padStart(4, '0')
