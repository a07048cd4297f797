import { invalid } from '../errors.ts'

/** Longest username, in code points. */
const MAX_CODE_POINTS = 64

/** What an account may be called beyond letters, digits and combining marks; none of these needs escaping in a path. */
const ALLOWED = /^[\p{L}\p{M}\p{Nd}._\-@+~=!$]+$/u

/** Halfwidth and fullwidth forms, the characters that RFC 8265 maps to their ordinary width. */
const WIDTH = /[\u3000\uff01-\uffef]/g

export interface UsernameRules {
  /** Whole-name pattern that a new name must match. */
  readonly pattern: RegExp | undefined
  /** Names that mean another name, by canonical form. */
  readonly map: ReadonlyMap<string, string>
  readonly refuseMixedScripts: boolean
}

/**
 * Brings a name to the one form that is stored and looked up: ordinary width, lower case, composed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8265#section-3.3 (UsernameCaseMapped)
 */
export function canonicalUsername(name: string, map?: ReadonlyMap<string, string>): string {
  // Postgres stores no NUL; a name with one is nobody's, and must not be an error of the database.
  const plain = name.replaceAll('\0', '\ufffd').replace(WIDTH, (character) => character.normalize('NFKC'))
  const canonical = plain.toLowerCase().normalize('NFC')
  return map?.get(canonical) ?? canonical
}

/**
 * Checks a new name and returns its canonical form.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT` with the broken rule.
 */
export function parseUsername(name: string, rules: UsernameRules): string {
  const canonical = canonicalUsername(name, rules.map)
  const refuse = (type: string, msg: string) => invalid('username', type, msg, printable(name))
  if (name === '') throw refuse('too_short', 'Choose a username')
  if (Array.from(canonical).length > MAX_CODE_POINTS) {
    throw refuse('too_long', `A username has at most ${MAX_CODE_POINTS} characters`)
  }
  if (!canonical.isWellFormed() || !ALLOWED.test(canonical) || /^\.+$/.test(canonical)) {
    throw refuse('username_characters', 'A username has letters, digits and . _ - @ + ~ = ! $, without spaces')
  }
  if (/^\p{M}/u.test(canonical)) {
    throw refuse('username_characters', 'A username does not start with a combining mark')
  }
  if (rules.refuseMixedScripts && scripts(canonical) > 1) {
    throw refuse('username_scripts', 'A username keeps to one script')
  }
  if (rules.pattern !== undefined && !matchesWhole(rules.pattern, canonical)) {
    throw refuse('username_pattern', 'This username does not follow the rules of this service')
  }
  return canonical
}

/** Tells whether a pattern covers the whole text; an unanchored one would accept any tail. */
export function matchesWhole(pattern: RegExp, text: string): boolean {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gmy]/g, '')).test(text)
}

const SCRIPTS = ['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Hebrew', 'Arabic', 'Han', 'Hangul', 'Thai'].map(
  (name) => new RegExp(`\\p{Script=${name}}`, 'u'),
)

function scripts(text: string): number {
  return SCRIPTS.filter((script) => script.test(text)).length
}

/** The refused name as it may be repeated to its sender: short, and nothing that a terminal or page would act on. */
function printable(name: string): string {
  return Array.from(name.toWellFormed().replace(/[\p{C}\p{Z}]/gu, '\ufffd'))
    .slice(0, MAX_CODE_POINTS)
    .join('')
}
