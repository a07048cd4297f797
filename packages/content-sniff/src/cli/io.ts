/** Where a command reads and writes; a test passes its own. */
export interface CommandIo {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** True when a person looks at standard error. */
  readonly interactive: boolean
  readonly signal: AbortSignal
}

/** A wrong command line: message for the person, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Control and format characters, which would reach the terminal as commands or turn the writing direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** A name that somebody else chose, fit for a terminal; what JSON escapes is still JSON afterwards. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) =>
    Array.from({ length: character.length }, (_, unit) => {
      return `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
    }).join(''),
  )
