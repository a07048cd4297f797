import { TaskError } from '../errors.ts'
import { createHeap } from '../internal/heap.ts'
import type { Backoff } from '../jobs/define-job.ts'
import type { Added, DeadLetter, JobRecord, Outcome } from './driver.ts'

/** A job in memory, and where it stands. */
export interface MemoryJob {
  readonly record: JobRecord
  /** Envelope as text: what one run changes in its copy, the next does not see. */
  readonly text: string
  readonly sequence: number
  /** Enqueued, and the delay that was asked for over. */
  readonly firstDueAt: number
  readonly dueAt: number
  readonly attempt: number
}

/** Finished ids that are remembered, so that a repeated enqueue is recognised; as many as BullMQ keeps by default. */
const REMEMBERED = 1000

/** One queue in memory: what waits, what failed for good, and what is remembered of the rest. */
export class MemoryQueue {
  readonly #now: () => number
  readonly #delayed = createHeap<MemoryJob>((a, b) => a.dueAt < b.dueAt)
  readonly #ready = createHeap<MemoryJob>(before)
  /** Ids that wait or run. */
  readonly #live = new Set<string>()
  readonly #done = new Set<string>()
  readonly #dead = new Map<string, { readonly job: MemoryJob; readonly letter: DeadLetter }>()
  readonly #deduplicated = new Map<string, { readonly id: string; readonly until: number }>()
  readonly #consumers = new Set<() => void>()
  #sequence = 0

  constructor(now: () => number) {
    this.#now = now
  }

  add(record: JobRecord): Added {
    const { id } = record
    const { deduplication, delayMs = 0, lifo } = record.options
    if (this.#live.has(id) || this.#done.has(id) || this.#dead.has(id)) return { id, deduplicated: true }
    const now = this.#now()
    if (deduplication !== undefined) {
      const earlier = this.#deduplicated.get(deduplication.id)
      if (earlier !== undefined && earlier.until > now) return { id: earlier.id, deduplicated: true }
      const until = deduplication.ttlMs === undefined ? Infinity : now + deduplication.ttlMs
      this.#deduplicated.set(deduplication.id, { id, until })
    }
    this.#sequence += 1
    this.#wait({
      record,
      text: JSON.stringify(record.data),
      sequence: lifo === true ? -this.#sequence : this.#sequence,
      firstDueAt: now + delayMs,
      dueAt: now + delayMs,
      attempt: 1,
    })
    return { id, deduplicated: false }
  }

  /** Takes the next job that is due: those without priority first, then by priority, then by age. */
  take(): MemoryJob | undefined {
    this.#wakeDue()
    return this.#ready.take()
  }

  /** When a job is due next, in milliseconds since the epoch; `undefined` when none waits for its time. */
  nextDue(): number | undefined {
    return this.#delayed.first()?.dueAt
  }

  /** Notes what became of a job that was taken. */
  settle(job: MemoryJob, outcome: Outcome): void {
    const { options } = job.record
    if (outcome.type === 'postponed') {
      this.#wait({ ...job, dueAt: this.#now() + outcome.delayMs })
    } else if (outcome.type === 'failed' && !outcome.final && job.attempt < options.attempts) {
      const dueAt = this.#now() + pause(options.backoff, job.attempt)
      this.#wait({ ...job, attempt: job.attempt + 1, dueAt })
    } else {
      this.#finish(job, outcome)
    }
  }

  /** Newest first. */
  deadLetters(limit: number): DeadLetter[] {
    return [...this.#dead.values()]
      .map(({ letter }) => letter)
      .toReversed()
      .slice(0, limit)
  }

  redrive(id: string): boolean {
    const found = this.#dead.get(id)
    if (found === undefined) return false
    this.#dead.delete(id)
    this.#wait({ ...found.job, attempt: 1, dueAt: this.#now() })
    return true
  }

  /** Calls `wake` whenever a job comes to wait; returns the way to stop that. */
  watch(wake: () => void): () => void {
    this.#consumers.add(wake)
    return () => void this.#consumers.delete(wake)
  }

  #wait(job: MemoryJob): void {
    this.#live.add(job.record.id)
    if (job.dueAt > this.#now()) this.#delayed.add(job)
    else this.#ready.add(job)
    for (const wake of this.#consumers) wake()
  }

  #wakeDue(): void {
    const now = this.#now()
    for (let next = this.#delayed.first(); next !== undefined && next.dueAt <= now; next = this.#delayed.first()) {
      this.#delayed.take()
      this.#ready.add(next)
    }
  }

  #finish(job: MemoryJob, outcome: Outcome): void {
    const { id, queue, name, options } = job.record
    const { deduplication } = options
    if (deduplication !== undefined && deduplication.ttlMs === undefined) {
      // A job that ran a second time, redriven, may find that another one has taken its place.
      if (this.#deduplicated.get(deduplication.id)?.id === id) this.#deduplicated.delete(deduplication.id)
    }
    this.#live.delete(id)
    if (outcome.type === 'failed') {
      const { error } = outcome
      const reason = error instanceof TaskError ? `${error.code}: ${error.message}` : error.message
      const letter = { id, queue, name, reason, attempts: job.attempt, failedAt: this.#now() }
      this.#dead.set(id, { job, letter })
      return
    }
    this.#done.add(id)
    for (const oldest of this.#done) {
      if (this.#done.size <= REMEMBERED) break
      this.#done.delete(oldest)
    }
  }
}

function before(a: MemoryJob, b: MemoryJob): boolean {
  const byPriority = (a.record.options.priority ?? 0) - (b.record.options.priority ?? 0)
  return byPriority === 0 ? a.sequence < b.sequence : byPriority < 0
}

function pause({ type, delayMs, jitter = 0 }: Backoff, attempt: number): number {
  const full = type === 'exponential' ? delayMs * 2 ** (attempt - 1) : delayMs
  return full * (1 - jitter + jitter * Math.random())
}
