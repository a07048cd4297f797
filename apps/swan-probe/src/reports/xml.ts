import { printable } from '../printable.ts'

/**
 * Makes a text safe inside XML and HTML, attributes included. What would act on a terminal, among it all that XML 1.0
 * forbids but two code points that are no characters, is shown by its number.
 *
 * @see https://www.w3.org/TR/xml/#charsets
 */
export function escapeMarkup(text: string): string {
  return printable(text)
    .replaceAll(/[\uFFFE\uFFFF]/g, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll('\n', '&#10;')
}
