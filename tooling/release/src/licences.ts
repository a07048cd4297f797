/** Licences that our users can take on with MIT code, by SPDX identifier. */
const accepted: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Python-2.0',
  'Unlicense',
  'Zlib',
])

/**
 * Tells whether an SPDX expression lets our users go on under it: one side of an OR, every side of an AND.
 *
 * @see https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
 */
export function isAccepted(expression: string): boolean {
  const text = expression.trim().replace(/^\((.*)\)$/, '$1')
  const either = text.split(/\s+OR\s+/i)
  if (either.length > 1) return either.some(isAccepted)
  const both = text.split(/\s+AND\s+/i)
  if (both.length > 1) return both.every(isAccepted)
  return accepted.has(text)
}
