import { LONGEST_TIMER_MS, setLongTimeout } from './timers.ts'

/**
 * The end of a run before its time, which may come or not.
 *
 * An `AbortSignal` is made for those who ask for one: most jobs never look at theirs, and it costs more than they do.
 */
export class Stop {
  #reason: Error | undefined
  #controller: AbortController | undefined
  #listener: (() => void) | undefined

  /** Why to stop; `undefined` as long as nobody wants to. */
  get reason(): Error | undefined {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Asks to stop. The first reason is the one that counts. */
  abort(reason: Error): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    this.#listener?.()
  }

  /** @throws the reason, where there is one. */
  throwIfAborted(): void {
    if (this.#reason !== undefined) throw this.#reason
  }

  /**
   * Waits for work; after an abort for `graceMs` more, then rejects with the reason and leaves it behind. For one
   * piece of work at a time.
   *
   * A promise cannot be stopped. What is left behind finds its scope ended and its transaction closed.
   */
  settle<T>(work: PromiseLike<T>, graceMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      this.#listener = () => {
        timer = setLongTimeout(() => reject(this.#reason!), graceMs)
      }
      if (this.#reason !== undefined) this.#listener()
      const stopWaiting = () => {
        this.#listener = undefined
        clearTimeout(timer)
      }
      work.then(
        (value) => {
          stopWaiting()
          // Work that ends well after an abort has ended too late.
          if (this.#reason === undefined) resolve(value)
          else reject(this.#reason)
        },
        (error: unknown) => {
          stopWaiting()
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- passed on as it came
          reject(error)
        },
      )
    })
  }
}

/** Aborts after `ms`, unless that is further away than timers reach. */
export function abortAfter(stop: Stop, ms: number, reason: () => Error): NodeJS.Timeout | undefined {
  return ms > LONGEST_TIMER_MS ? undefined : setTimeout(() => stop.abort(reason()), Math.max(0, ms))
}
