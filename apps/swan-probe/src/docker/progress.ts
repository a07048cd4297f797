import type { Entry } from '../config/config.ts'
import { ProbeError } from '../errors.ts'
import { failedResult } from '../runner/failed-result.ts'
import type { ProbeResult, Report } from '../runner/result.ts'

/** How long a run in a container may say nothing while no probe runs: its start, clean-ups, the report; milliseconds. */
const quietMs = 15_000

/** Time that a run in a container gets to end in order after an interrupt, in milliseconds. */
const lastWordsMs = 10_000

/** Time beyond a probe's limit in which its verdict has to come out of the container, in milliseconds. */
const lateMs = 800

const silence = 'the container says nothing any more; is it frozen?'

interface ProgressOptions {
  /** The run is to end. */
  readonly signal: AbortSignal
  /** Called once, when nothing more is to be waited for. */
  readonly onSilence: () => void
}

/**
 * Watches from outside how far a run in a container is, so that the limit of each probe holds when nobody inside keeps
 * it. Only a probe's first start counts: what a container says often does not buy it time.
 */
export class Progress {
  readonly #entries: readonly Entry[]
  readonly #options: ProgressOptions
  readonly #begun = Date.now()
  /** Moments of the limits of what runs, on the clock of `performance.now()`. */
  readonly #running = new Map<string, number>()
  readonly #startedAt = new Map<string, number>()
  readonly #results = new Map<string, ProbeResult>()
  /** Moment at which an ended run is waited for no more, on the same clock. */
  #lastWords: number | undefined
  #over = false
  #timer: NodeJS.Timeout | undefined

  constructor(entries: readonly Entry[], options: ProgressOptions) {
    this.#entries = entries
    this.#options = options
    options.signal.addEventListener('abort', this.#wait)
    this.#wait()
  }

  knows(id: string): boolean {
    return this.#entries.some(({ probe }) => probe.id === id)
  }

  /** Takes a start in; tells whether it is news. */
  started(id: string): boolean {
    const entry = this.#entries.find(({ probe }) => probe.id === id)
    if (entry === undefined || this.#startedAt.has(id) || this.#results.has(id)) return false
    this.#startedAt.set(id, Date.now())
    this.#running.set(id, performance.now() + entry.timeoutSeconds * 1000 + lateMs)
    this.#wait()
    return true
  }

  /** Takes a verdict in; tells whether it is news. */
  finished(result: ProbeResult): boolean {
    if (this.#results.has(result.id)) return false
    this.#results.set(result.id, result)
    this.#running.delete(result.id)
    this.#wait()
    return true
  }

  stop(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#options.signal.removeEventListener('abort', this.#wait)
  }

  /**
   * Builds a report of what is known: what had its verdict keeps it, what ran was late or cut, the rest is skipped.
   *
   * @throws {@link ProbeError} `PROBE_TIMEOUT`, or the signal's reason, when nothing is known.
   */
  giveUp(): Report {
    const { signal } = this.#options
    if (this.#startedAt.size === 0) {
      if (signal.aborted) throw signal.reason as Error
      throw new ProbeError('PROBE_TIMEOUT', `The run in the container did not begin within ${quietMs / 1000} s`)
    }
    const results = this.#entries.map((entry) => this.#results.get(entry.probe.id) ?? this.#verdict(entry))
    const seconds = (Date.now() - this.#begun) / 1000
    return { runId: '', host: '', startedAt: this.#begun, seconds, cut: true, results }
  }

  #verdict(entry: Entry): ProbeResult {
    const { probe, timeoutSeconds } = entry
    const { aborted, reason } = this.#options.signal as { aborted: boolean; reason: unknown }
    const startedAt = this.#startedAt.get(probe.id)
    if (startedAt === undefined) return failedResult(entry, new ProbeError('PROBE_NEEDS', silence), 'skipped')
    if (aborted) return failedResult(entry, reason, 'error', startedAt)
    const late = new ProbeError('PROBE_TIMEOUT', `${probe.id} was not over within ${timeoutSeconds} s: ${silence}`)
    return failedResult(entry, late, 'fail', startedAt)
  }

  readonly #wait = () => {
    clearTimeout(this.#timer)
    if (this.#over) return
    const now = performance.now()
    const limit = this.#running.size === 0 ? now + quietMs : Math.max(...this.#running.values())
    if (this.#options.signal.aborted) this.#lastWords ??= now + lastWordsMs
    this.#timer = setTimeout(this.#options.onSilence, Math.min(limit, this.#lastWords ?? Infinity) - now)
  }
}
