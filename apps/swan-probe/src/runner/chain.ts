import { messageOf, ProbeError } from '../errors.ts'
import type { HelperPool } from '../isolation/pool.ts'
import type { Cleanup } from '../probes/probe.ts'

/** Longest time that putting one chain's things away may take, in milliseconds. */
const longestMs = 8000

/** Time that it always has, in milliseconds, however late the run is. */
const shortestMs = 600

/** Longest time for one operation on a file system while putting away, in milliseconds; many files take a while. */
const operationMs = 3000

interface Deferred {
  /** The probe that made it. */
  readonly id: string
  readonly what: string
  readonly cleanup: Cleanup
  /** The probe's limit on the clock of `performance.now()`: putting away counts into it. */
  readonly deadline: number
}

/** What the probes of one chain share, and what is to be done when they are over. */
export class Chain {
  readonly shared = new Map<string, unknown>()
  readonly #deferred: Deferred[] = []
  readonly #pool: HelperPool

  constructor(pool: HelperPool) {
    this.#pool = pool
  }

  defer(deferred: Deferred): void {
    this.#deferred.push(deferred)
  }

  /**
   * Puts everything away, last made first.
   *
   * @param hurry - The run's own deadline is over: take the shortest time.
   * @returns what could not be put away, by the probe that made it.
   */
  async cleanUp(hurry: boolean): Promise<ReadonlyMap<string, readonly string[]>> {
    const left = new Map<string, string[]>()
    if (this.#deferred.length === 0) return left
    const remaining = Math.max(...this.#deferred.map(({ deadline }) => deadline)) - performance.now()
    const limitMs = hurry ? shortestMs : Math.min(longestMs, Math.max(shortestMs, remaining))
    const limit = new AbortController()
    const timer = setTimeout(
      () => limit.abort(new ProbeError('PROBE_TIMEOUT', `not done within ${(limitMs / 1000).toFixed(1)} s`)),
      limitMs,
    )
    for (const { id, what, cleanup } of this.#deferred.toReversed()) {
      try {
        await cleanup({
          signal: limit.signal,
          isolated: (operation, input, options) =>
            this.#pool.run(operation, input, { timeoutMs: operationMs, signal: limit.signal, ...options }),
        })
      } catch (error) {
        left.set(id, [...(left.get(id) ?? []), `${what} (${messageOf(error)})`])
      }
    }
    clearTimeout(timer)
    return left
  }
}
