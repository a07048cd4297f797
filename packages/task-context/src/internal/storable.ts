/** Tells whether every queue can keep a text: Postgres takes no NUL, and nobody half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** A text as near to the given one as can be kept. */
export function storable(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\uFFFD')
}

/** How JSON writes what cannot be kept; a backslash of the text itself comes in pairs. */
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][\da-f]{2})/g

/** The same for JSON, as `JSON.stringify` writes it. */
export function storableJson(json: string): string {
  return json.replaceAll(UNSTORABLE, '$1\uFFFD')
}

/** The same for a value that is to be written as JSON. */
export function storableValue<T>(value: T): T {
  if (typeof value === 'string') return storable(value) as T
  if (typeof value !== 'object' || value === null) return value
  const json = JSON.stringify(value)
  const kept = storableJson(json)
  return kept === json ? value : (JSON.parse(kept) as T)
}
