import type { MailMessage } from '../../src/index.ts'

/** Takes mail in place of a server. */
export interface LetterBox {
  readonly letters: readonly MailMessage[]
  /** For the option of that name. */
  readonly mail: (message: MailMessage) => Promise<void>
  /** Waits for the next letter, unless one has come since the last call; gives the address in it. */
  readonly next: () => Promise<string>
}

/** Opens an empty letter box. */
export function letterBox(): LetterBox {
  const letters: MailMessage[] = []
  let arrived = Promise.withResolvers<void>()
  return {
    letters,
    mail: (message) => {
      letters.push(message)
      arrived.resolve()
      return Promise.resolve()
    },
    next: async () => {
      await arrived.promise
      arrived = Promise.withResolvers<void>()
      return /https:\/\/\S+/.exec(letters.at(-1)?.text ?? '')?.[0] ?? ''
    },
  }
}
