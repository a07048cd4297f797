import { TaskError } from '../errors.ts'
import { createHeap } from '../internal/heap.ts'
import type { Backoff } from '../jobs/define-job.ts'
import type { Added, DeadLetter, Deduplication, JobRecord, Outcome, WorkOptions } from './driver.ts'

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

type Limiter = WorkOptions['limiter']

/** Finished ids that are remembered, so that a repeated enqueue is recognised; as many as BullMQ keeps by default. */
const REMEMBERED = 1000

/** One queue in memory: what waits, what failed for good, and what is remembered of the rest. */
export class MemoryQueue {
  readonly #now: () => number
  readonly #delayed = createHeap<MemoryJob>((a, b) => a.dueAt < b.dueAt)
  readonly #ready = createHeap<MemoryJob>(before)
  /** Ids that wait (`true`) or run. */
  readonly #live = new Map<string, boolean>()
  readonly #done = new Set<string>()
  readonly #dead = new Map<string, { readonly job: MemoryJob; readonly letter: DeadLetter }>()
  readonly #deduplicated = new Map<string, { readonly id: string; readonly until: number }>()
  readonly #consumers = new Set<() => void>()
  #sequence = 0
  /** Jobs that a limiter has let through in the time that it looks at. */
  #window = { until: 0, taken: 0 }

  constructor(now: () => number) {
    this.#now = now
  }

  add(record: JobRecord): Added {
    const { id } = record
    const { deduplication, delayMs = 0, lifo } = record.options
    if (this.#live.has(id) || this.#done.has(id) || this.#dead.has(id)) return { id, deduplicated: true }
    const now = this.#now()
    if (deduplication !== undefined) {
      const earlier = this.#standIn(deduplication, id, now)
      if (earlier !== undefined) return { id: earlier, deduplicated: true }
    }
    const sequence = this.#nextSequence()
    this.#wait({
      record,
      text: JSON.stringify(record.data),
      sequence: lifo === true ? -sequence : sequence,
      firstDueAt: now + delayMs,
      dueAt: now + delayMs,
      attempt: 1,
    })
    return { id, deduplicated: false }
  }

  /** Takes the next job that is due: those without priority first, then by priority, then by age. */
  take(limiter: Limiter): MemoryJob | undefined {
    if (this.#isFull(limiter)) return undefined
    this.#wakeDue()
    const job = this.#ready.take()
    if (job === undefined) return undefined
    this.#live.set(job.record.id, false)
    if (limiter !== undefined) {
      const now = this.#now()
      // Begins with a job, and not on the clock, as BullMQ's does.
      if (this.#window.until <= now) this.#window = { until: now + limiter.durationMs, taken: 0 }
      this.#window.taken += 1
    }
    return job
  }

  /** When a job may be taken next, in milliseconds since the epoch; `undefined` when none waits. */
  nextDue(limiter: Limiter): number | undefined {
    const due = this.#ready.size > 0 ? 0 : this.#delayed.first()?.dueAt
    return due !== undefined && this.#isFull(limiter) ? Math.max(due, this.#window.until) : due
  }

  /** Whether a job of this id has not been taken yet. */
  isWaiting(id: string): boolean {
    return this.#live.get(id) === true
  }

  /** Notes what became of a job that was taken. */
  settle(job: MemoryJob, outcome: Outcome): void {
    const { options } = job.record
    if (outcome.type === 'postponed') {
      this.#wait({ ...job, dueAt: this.#now() + outcome.delayMs })
    } else if (outcome.type === 'failed' && !outcome.final && job.attempt < options.attempts) {
      const dueAt = this.#now() + pause(options.backoff, job.attempt)
      this.#wait({ ...job, attempt: job.attempt + 1, dueAt, sequence: this.#nextSequence() })
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
    this.#wait({ ...found.job, attempt: 1, dueAt: this.#now(), sequence: this.#nextSequence() })
    return true
  }

  /** Calls `wake` whenever a job comes to wait; returns the way to stop that. */
  watch(wake: () => void): () => void {
    this.#consumers.add(wake)
    return () => void this.#consumers.delete(wake)
  }

  /** Whoever comes back, to be tried again, goes to the end. */
  #nextSequence(): number {
    this.#sequence += 1
    return this.#sequence
  }

  #isFull(limiter: Limiter): boolean {
    return limiter !== undefined && this.#window.taken >= limiter.max && this.#window.until > this.#now()
  }

  /** The earlier job that stands for a new one; where there is none, the new one stands for those to come. */
  #standIn({ id: key, ttlMs, extend, replace }: Deduplication, id: string, now: number): string | undefined {
    const until = ttlMs === undefined ? Infinity : now + ttlMs
    const earlier = this.#deduplicated.get(key)
    if (earlier === undefined || earlier.until <= now) {
      this.#deduplicated.set(key, { id, until })
      return undefined
    }
    if (replace === true) {
      if (!this.#delayed.remove(({ record }) => record.id === earlier.id)) return earlier.id
      this.#live.delete(earlier.id)
      this.#deduplicated.set(key, { id, until: ttlMs === undefined || extend === true ? until : earlier.until })
      return undefined
    }
    if (ttlMs !== undefined && extend === true) this.#deduplicated.set(key, { id: earlier.id, until })
    return earlier.id
  }

  #wait(job: MemoryJob): void {
    this.#live.set(job.record.id, true)
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
    if (deduplication !== undefined) {
      const held = this.#deduplicated.get(deduplication.id)
      // A job that ran a second time, redriven, may find that another one has taken its place.
      if (held?.id === id && held.until === Infinity) this.#deduplicated.delete(deduplication.id)
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
