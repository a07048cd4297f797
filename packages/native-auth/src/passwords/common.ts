/** How many of the first words make a refused pair, such as `dragonpassword`. */
const PAIRED = 2000

/** More than so many characters around a word are not a trimming but a password of their own. */
const MAX_TRIMMINGS = 6

interface Lists {
  readonly words: ReadonlySet<string>
  readonly first: ReadonlySet<string>
}

let lists: Promise<Lists> | undefined

/** Loaded at the first new password; a process that only checks logins never holds it. */
function load(): Promise<Lists> {
  return (lists ??= import('./common-list.ts').then(({ COMMON_PASSWORDS }) => {
    const words = COMMON_PASSWORDS.split(' ')
    return { words: new Set(words), first: new Set(words.slice(0, PAIRED)) }
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
  const { words, first } = await load()
  const folded = password.toLowerCase()
  // What people hang on at either end to satisfy a form.
  const core = folded.replace(/^[^a-z]+|[^a-z]+$/g, '')
  const stripped = folded.length - core.length <= MAX_TRIMMINGS ? core : folded
  const candidates = new Set([folded, unleet(folded), stripped, unleet(stripped)])
  return Array.from(candidates).some(
    (text) => words.has(text) || words.has(unit(text)) || isPair(text, first) || (text !== '' && isRun(text)),
  )
}

const unleet = (text: string) => text.replace(/[013457@$!]/g, (character) => LEET[character] ?? character)

/** The shortest text that the whole repeats. */
function unit(text: string): string {
  const length = (text + text).indexOf(text, 1)
  return text.slice(0, length)
}

/** One character over and over, or neighbours in the alphabet or in the digits. */
function isRun(text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  const steps = new Set(codes.slice(1).map((code, index) => code - (codes[index] ?? 0)))
  const [step] = steps
  return codes.length >= 6 && steps.size === 1 && step !== undefined && Math.abs(step) <= 1
}

function isPair(text: string, first: ReadonlySet<string>): boolean {
  for (let split = 4; split <= text.length - 4; split += 1) {
    if (first.has(text.slice(0, split)) && first.has(text.slice(split))) return true
  }
  return false
}
