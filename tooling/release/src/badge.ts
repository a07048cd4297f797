/** Draws a label and a value as a small SVG that reads well on light and dark pages. */
export function badge(label: string, value: string): string {
  // Wide enough for Verdana's average letter at this size; the text is stretched to fit exactly.
  const width = (text: string) => text.length * 6.6 + 12
  const left = width(label)
  const all = left + width(value)
  const text = (content: string, x: number, length: number) =>
    `<text x="${x}" y="14" textLength="${length}">${escape(content)}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${all}" height="20" role="img" aria-label="${escape(`${label}: ${value}`)}">`,
    `<rect width="${all}" height="20" rx="3" fill="#444"/>`,
    `<path d="M${left} 0h${all - left - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H${left}z" fill="#1a7f37"/>`,
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
    text(label, 6, left - 12),
    text(value, left + 6, all - left - 12),
    '</g></svg>\n',
  ].join('')
}

const escape = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
