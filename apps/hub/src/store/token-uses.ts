import { reasonOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Database } from './tables.ts'
import { fromStored, toStored } from './time.ts'
import type { ApiToken } from './tokens.ts'
import { touchUser } from './users.ts'

/** Between two notes of the same token's use, in milliseconds: each is a write. */
const RESOLUTION_MS = 30_000

/**
 * Notes when tokens were last used, beside the requests.
 *
 * None of them waits for the write, and none fails with it: a database that can be read but not written to must not
 * shut readers out.
 */
export class TokenUses implements AsyncDisposable {
  readonly #db: Database
  readonly #log: Log
  readonly #waiting = new Map<number, { readonly token: ApiToken; readonly at: Date }>()
  #writing: Promise<void> | undefined
  #quietUntil = 0

  constructor(db: Database, log: Log) {
    this.#db = db
    this.#log = log
  }

  /** Notes one use, unless one was noted lately. */
  note(token: ApiToken, at: Date): void {
    const last = token.last_activity === null ? 0 : fromStored(token.last_activity).getTime()
    const now = at.getTime()
    if (now - last < RESOLUTION_MS || now < this.#quietUntil) return
    this.#waiting.set(token.id, { token, at })
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when all that was noted is written, or could not be. */
  async settled(): Promise<void> {
    await this.#writing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.settled()
  }

  async #write(): Promise<void> {
    // After the answers of this turn, and with all that came in it.
    await new Promise(setImmediate)
    while (this.#waiting.size > 0) {
      const uses = [...this.#waiting.values()]
      this.#waiting.clear()
      try {
        await this.#db.transaction().execute(async (tx) => {
          for (const { token, at } of uses) {
            const last_activity = toStored(at)
            await tx.updateTable('api_tokens').set({ last_activity }).where('id', '=', token.id).execute()
            if (token.user_id !== null) await touchUser(tx, token.user_id, at)
          }
        })
      } catch (error) {
        // Not again for a while: every request would try in vain.
        this.#quietUntil = Math.max(...uses.map(({ at }) => at.getTime())) + RESOLUTION_MS
        this.#log('warn', 'uses of tokens could not be noted', { reason: reasonOf(error) })
      }
    }
  }
}
