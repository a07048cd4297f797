import type { CommandIo } from './io.ts'

/** Redraws at most this often, in milliseconds; a terminal over a slow line would hold the work up otherwise. */
const REDRAW_MS = 100

/** One line that counts along, for people; silent when nobody looks. */
export class Progress {
  readonly #io: CommandIo
  readonly #now: () => number
  #drawn = -Infinity
  #length = 0

  constructor(io: CommandIo, now: () => number = () => performance.now()) {
    this.#io = io
    this.#now = now
  }

  /** Shows a state, unless the last one is too fresh. */
  show(line: string): void {
    if (!this.#io.interactive || this.#now() - this.#drawn < REDRAW_MS) return
    this.#drawn = this.#now()
    this.#io.stderr(`\r${line.padEnd(this.#length)}`)
    this.#length = line.length
  }

  /** Removes the line. */
  clear(): void {
    if (this.#length > 0) this.#io.stderr(`\r${' '.repeat(this.#length)}\r`)
    this.#length = 0
  }
}
