import type { Pool } from 'pg'

import { cloneName } from './names.ts'
import { type CopyStrategy, createCopy, dropDatabase } from './statements.ts'

/** What the clones of one pool are made of. */
interface ClonesOptions {
  readonly admin: Pool
  /** Names this pool's databases. */
  readonly owner: string
  readonly template: string
  readonly strategy: CopyStrategy
  /** Databases kept ready ahead of demand. */
  readonly warm: number
  /** Statements at a time. */
  readonly concurrency: number
}

/** How many databases that were given back may wait for a quiet moment; each holds its space until it is dropped. */
const MOST_DUE = 8

/**
 * The databases of one pool: those in the making or ready, those handed out, and those that were given back.
 *
 * Both a copy and a drop keep a processor busy for some milliseconds, so what somebody waits for goes first: drops wait until
 * no copy is wanted, or until too many of them are due.
 */
export class Clones implements AsyncDisposable {
  readonly #options: ClonesOptions
  /** In the order of their making; the first in line gets the first. */
  readonly #coming: Promise<string>[] = []
  /** What exists and was not given back. */
  readonly #alive = new Set<string>()
  readonly #wanted: (() => Promise<void>)[] = []
  readonly #due: string[] = []
  readonly #running = new Set<Promise<void>>()
  #making = 0
  #count = 0
  #closed = false

  constructor(options: ClonesOptions) {
    this.#options = options
    this.#refill()
  }

  /** Hands out a clone. */
  take(): Promise<string> {
    if (this.#closed) return Promise.reject(closed())
    const coming = this.#coming.shift() ?? this.#make()
    this.#refill()
    return coming
  }

  /** Takes a clone back. Nobody waits for its end: the pool does, when it is disposed. */
  giveBack(name: string): void {
    if (!this.#alive.delete(name)) return
    this.#due.push(name)
    this.#goOn()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#due.push(...this.#alive)
    this.#alive.clear()
    this.#goOn()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #refill(): void {
    while (this.#coming.length < this.#options.warm) this.#coming.push(this.#make())
  }

  #make(): Promise<string> {
    const { admin, owner, template, strategy } = this.#options
    this.#count += 1
    const name = cloneName(owner, this.#count)
    const made = Promise.withResolvers<string>()
    // Whoever takes it hears of a failure; until then it must not end the process.
    made.promise.catch(() => {})
    this.#wanted.push(async () => {
      this.#making += 1
      try {
        if (this.#closed) throw closed()
        await createCopy(admin, name, template, strategy)
        this.#alive.add(name)
        if (this.#closed) {
          this.giveBack(name)
          throw closed()
        }
        made.resolve(name)
      } catch (error) {
        made.reject(error)
      } finally {
        this.#making -= 1
      }
    })
    this.#goOn()
    return made.promise
  }

  /** Begins what may begin now. Called whenever something is wanted, is due or has ended. */
  #goOn(): void {
    while (this.#running.size < this.#options.concurrency) {
      const next = this.#wanted.shift() ?? this.#nextDrop()
      if (next === undefined) return
      const running = next().finally(() => {
        this.#running.delete(running)
        this.#goOn()
      })
      this.#running.add(running)
    }
  }

  #nextDrop(): (() => Promise<void>) | undefined {
    if (this.#making > 0 && this.#due.length <= MOST_DUE) return undefined
    const name = this.#due.shift()
    if (name === undefined) return undefined
    return () =>
      dropDatabase(this.#options.admin, name).catch(() => {
        // The server is gone, and the database with it; if not, the next pool's sweep finds it.
      })
  }
}

const closed = (): TypeError => new TypeError('Expected an open database pool, got one that was disposed')
