/** How many of the first words make a refused pair, such as `dragonpassword`. */
const PAIRED = 2000

/** More than so many characters around a word are not a trimming but a password of their own. */
const MAX_TRIMMINGS = 6

/** Shortest half of a pair. */
const SHORTEST = 4

interface Lists {
  readonly words: ReadonlySet<string>
  readonly first: ReadonlySet<string>
  /** How `first` begin: most texts are told from a pair by their beginning alone. */
  readonly heads: ReadonlySet<string>
  /** Length of the longest of `words`, and of `first`: longer texts need no look. */
  readonly longest: number
  readonly longestFirst: number
}

let lists: Promise<Lists> | undefined

/** Loaded at the first new password; a process that only checks logins never holds it. */
function load(): Promise<Lists> {
  return (lists ??= import('./common-list.ts').then(({ COMMON_PASSWORDS }) => {
    const words = COMMON_PASSWORDS.split(' ')
    const first = words.slice(0, PAIRED)
    return {
      words: new Set(words),
      first: new Set(first),
      heads: new Set(first.map(headOf)),
      longest: maxLength(words),
      longestFirst: maxLength(first),
    }
  }))
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/**
 * Tells whether a password is among the first that attackers try, or a usual variation of one.
 *
 * Case is folded; `Passw0rd!2024`, `passwordpassword` and `dragonmonkey` count as `password` and its like do.
 */
export async function isCommon(password: string): Promise<boolean> {
  const known = await load()
  const folded = password.toLowerCase()
  // What people hang on at either end to satisfy a form.
  const core = folded.replace(/^[^a-z]+|[^a-z]+$/g, '')
  const stripped = folded.length - core.length <= MAX_TRIMMINGS ? core : folded
  return [...new Set([folded, unleet(folded), stripped, unleet(stripped)])].some((text) => isListed(text, known))
}

function isListed(text: string, known: Lists): boolean {
  const { words, longest } = known
  if (text.length <= longest && words.has(text)) return true
  const part = unit(text)
  if (part.length < text.length && (words.has(part) || isOneOften(part, text))) return true
  return isPair(text, known) || isRun(text)
}

const headOf = (text: string) => text.slice(0, SHORTEST)

const maxLength = (words: readonly string[]) => words.reduce((length, word) => Math.max(length, word.length), 0)

const unleet = (text: string) => text.replace(/[013457@$!]/g, (character) => LEET[character] ?? character)

/** The shortest text that the whole repeats. */
function unit(text: string): string {
  const length = (text + text).indexOf(text, 1)
  return text.slice(0, length)
}

/** Shortest run that is refused, in characters. */
const RUN = 6

function isOneOften(part: string, text: string): boolean {
  return part.length === ((part.codePointAt(0) ?? 0) > 0xff_ff ? 2 : 1) && text.length >= RUN * part.length
}

/** Neighbours in the alphabet or in the digits, up or down. */
function isRun(text: string): boolean {
  const step = text.charCodeAt(1) - text.charCodeAt(0)
  if (text.length < RUN || Math.abs(step) !== 1) return false
  for (let index = 2; index < text.length; index += 1) {
    if (text.charCodeAt(index) - text.charCodeAt(index - 1) !== step) return false
  }
  return true
}

/** Two of the first words in a row. */
function isPair(text: string, { first, heads, longestFirst }: Lists): boolean {
  if (!heads.has(headOf(text))) return false
  const last = Math.min(longestFirst, text.length - SHORTEST)
  for (let split = Math.max(SHORTEST, text.length - longestFirst); split <= last; split += 1) {
    if (first.has(text.slice(0, split)) && first.has(text.slice(split))) return true
  }
  return false
}
