/** The first element of a document and what came before it. */
export interface MarkupStart {
  /** `<?xml …?>` was there, or another instruction of that beginning: XML keeps all of them for itself. */
  readonly declared: boolean
  /** Encoding named by the XML declaration, as written. */
  readonly encoding: string | undefined
  /** Name after `<!DOCTYPE`, as written. */
  readonly doctype: string | undefined
  /** Public and system identifiers, as written. */
  readonly doctypeIds: string
  /** Targets of processing instructions, with their data. */
  readonly instructions: readonly string[]
  /** Name of the first element as written, `undefined` when none follows. */
  readonly root: string | undefined
  /** Attributes of the first element, as written, cut at 4,096 characters. */
  readonly attributes: string
  /** Where the scan stopped. */
  readonly end: number
  /** A comment, declaration or tag was still open where the head ends. */
  readonly open: boolean
  /** A comment was seen. */
  readonly commented: boolean
}

const SPACE = /[\t\n\f\r \0]*/y
const NAME = /[A-Za-z_:][\w:.\-\u00b7-\uffff]*/y
const LONGEST_TAG = 4096

/**
 * Walks over byte order mark, white space, comments, processing instructions and a document type to the first element.
 *
 * Linear in the length of the text. `undefined` when the text does not start like markup.
 */
export function scanMarkup(text: string): MarkupStart | undefined {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  // A UTF-8 mark looks like this when the bytes were decoded one by one.
  if (text.startsWith('ï»¿')) at = 3
  const instructions: string[] = []
  let doctype: string | undefined
  let doctypeIds = ''
  let declared = false
  let encoding: string | undefined
  let commented = false
  const stop = (root: string | undefined, attributes: string, end: number, open: boolean): MarkupStart => ({
    declared,
    encoding,
    doctype,
    doctypeIds,
    instructions,
    root,
    attributes,
    end,
    open,
    commented,
  })

  for (let seen = false; ; seen = true) {
    at = match(SPACE, text, at)
    if (text[at] !== '<') return seen ? stop(undefined, '', at, false) : undefined
    if (text.startsWith('<!--', at)) {
      const end = commentEnd(text, at)
      commented = true
      if (end < 0) return stop(undefined, '', text.length, true)
      at = end
    } else if (text[at + 1] === '?') {
      const end = text.indexOf('?>', at + 2)
      const body = text.slice(at + 2, end < 0 ? at + 2 + LONGEST_TAG : end)
      instructions.push(body)
      if (/^xml/i.test(body)) {
        declared = true
        encoding = /\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(body)?.[1]
      }
      if (end < 0) return stop(undefined, '', text.length, true)
      at = end + 2
    } else if (/^<!doctype[\s>]/i.test(text.slice(at, at + 10))) {
      const nameAt = match(SPACE, text, at + 9)
      doctype = text.slice(nameAt, match(NAME, text, nameAt))
      const end = doctypeEnd(text, at)
      doctypeIds = text.slice(nameAt + doctype.length, Math.min(end < 0 ? text.length : end, nameAt + LONGEST_TAG))
      if (end < 0) return stop(undefined, '', text.length, true)
      at = end
    } else {
      const nameEnd = match(NAME, text, at + 1)
      // Only white space, `/` and `>` end a name; anything else is an address or a comparison.
      const isTag = nameEnd > at + 1 && (nameEnd === text.length || /[\s/>\0]/.test(text[nameEnd] ?? ''))
      if (!isTag) return seen ? stop(undefined, '', at, false) : undefined
      const end = tagEnd(text, nameEnd)
      const attributes = text.slice(nameEnd, Math.min(end < 0 ? text.length : end, nameEnd + LONGEST_TAG))
      return stop(text.slice(at + 1, nameEnd), attributes, end < 0 ? text.length : end, end < 0)
    }
  }
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

/** HTML ends a comment at `-->`, `--!>`, `<!-->` and `<!--->` too; the earliest counts, so that nothing hides there. */
const COMMENT_END = /--!?>/g

function commentEnd(text: string, at: number): number {
  if (text.startsWith('<!-->', at)) return at + 5
  if (text.startsWith('<!--->', at)) return at + 6
  COMMENT_END.lastIndex = at + 4
  return COMMENT_END.test(text) ? COMMENT_END.lastIndex : -1
}

/** Skips an internal subset; a quoted `>` or `]` does not end it. */
function doctypeEnd(text: string, at: number): number {
  let depth = 0
  let quote = ''
  for (let index = at; index < text.length; index += 1) {
    const char = text[index] ?? ''
    if (quote !== '') {
      if (char === quote) quote = ''
    } else if (char === '"' || (char === "'" && depth === 0)) {
      quote = char
    } else if (char === '[') {
      depth += 1
    } else if (char === ']') {
      depth = Math.max(0, depth - 1)
    } else if (char === '>' && depth === 0) {
      return index + 1
    }
  }
  return -1
}

function tagEnd(text: string, at: number): number {
  let quote = ''
  for (let index = at; index < text.length; index += 1) {
    const char = text[index] ?? ''
    if (quote !== '') {
      if (char === quote) quote = ''
    } else if (char === '"' || char === "'") {
      quote = char
    } else if (char === '>') {
      return index + 1
    }
  }
  return -1
}
