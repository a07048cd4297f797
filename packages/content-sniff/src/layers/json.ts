/** How a text fares as JSON: a whole value, a value that the head cuts, or something else. */
type JsonVerdict = 'complete' | 'cut' | 'invalid'

/** What {@link scanJson} saw. */
export interface JsonScan {
  readonly verdict: JsonVerdict
  /** Position behind the value and the white space that follows it. */
  readonly end: number
  /** Keys of the outermost object, in order. */
  readonly keys: readonly string[]
}

const DEEPEST = 2048

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/**
 * Checks JSON without building it: linear, iterative, and content with a text that ends too early.
 *
 * @param text - Text that may hold more after the value.
 * @param from - Where the value starts; must be `{` or `[` for the answer to mean anything.
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function scanJson(text: string, from: number): JsonScan {
  const stack: string[] = []
  const keys: string[] = []
  let at = from
  let expect: 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'comma-or-end' = 'value'
  const stop = (verdict: JsonVerdict): JsonScan => ({ verdict, end: at, keys })

  while (true) {
    while (isSpace(text.charCodeAt(at))) at += 1
    if (at >= text.length) return stop('cut')
    const char = text[at] ?? ''
    if (expect === 'comma-or-end') {
      if (char === ',') {
        expect = stack.at(-1) === '{' ? 'key' : 'value'
      } else if (char === (stack.at(-1) === '{' ? '}' : ']')) {
        stack.pop()
      } else {
        return stop('invalid')
      }
      at += 1
    } else if (expect === 'key' || expect === 'key-or-end') {
      if (char === '}' && expect === 'key-or-end') {
        stack.pop()
        at += 1
        expect = 'comma-or-end'
      } else {
        if (char !== '"') return stop('invalid')
        const end = stringEnd(text, at)
        if (end <= 0) return stop(end === 0 ? 'cut' : 'invalid')
        if (stack.length === 1 && keys.length < 64) keys.push(text.slice(at + 1, end - 1))
        at = end
        while (isSpace(text.charCodeAt(at))) at += 1
        if (at >= text.length) return stop('cut')
        if (text[at] !== ':') return stop('invalid')
        at += 1
        expect = 'value'
      }
    } else if (char === '{' || char === '[') {
      if (stack.length >= DEEPEST) return stop('invalid')
      stack.push(char)
      at += 1
      expect = char === '{' ? 'key-or-end' : 'value-or-end'
      continue
    } else if (char === ']' && expect === 'value-or-end') {
      stack.pop()
      at += 1
      expect = 'comma-or-end'
    } else {
      const end = scalarEnd(text, at)
      if (end <= 0) return stop(end === 0 ? 'cut' : 'invalid')
      at = end
      expect = 'comma-or-end'
    }
    if (stack.length === 0) {
      while (isSpace(text.charCodeAt(at))) at += 1
      return stop('complete')
    }
  }
}

/** Position behind a string that opens at `at`; 0 when the text ends inside, -1 when it is none. */
function stringEnd(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 0x22) return index + 1
    if (code < 0x20) return -1
    if (code === 0x5c) {
      index += 1
      const escaped = text[index]
      if (escaped === undefined) return 0
      if (!'"\\/bfnrtu'.includes(escaped)) return -1
    }
  }
  return 0
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const SCALARS = ['true', 'false', 'null'] as const

function scalarEnd(text: string, at: number): number {
  if (text[at] === '"') return stringEnd(text, at)
  for (const word of SCALARS) {
    if (text.startsWith(word, at)) return at + word.length
    if (text.length - at < word.length && word.startsWith(text.slice(at))) return 0
  }
  // A number that reaches the end of the text may go on behind it.
  if (text.length - at < 64 && /^-?[\d.eE+-]*$/.test(text.slice(at))) return 0
  NUMBER.lastIndex = at
  return NUMBER.test(text) ? NUMBER.lastIndex : -1
}
