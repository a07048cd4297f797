import { setTimeout as sleep } from 'node:timers/promises'

/** Time and chance of the watcher; tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Waits; returns early when the signal aborts, and never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  /** A number from 0 up to 1. */
  random(): number
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  wait: async (ms, signal) => {
    await sleep(ms, undefined, { signal }).catch(() => {})
  },
}

interface ScheduleOptions {
  readonly periodMs: number
  /** Part of the period by which a start is moved at random, 0 to 1. */
  readonly jitter: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Runs a task again and again until the signal, the first time at once but for the jitter.
 *
 * A task that takes longer than its period is not run twice at once; the starts that it missed are left out.
 */
export async function repeat(task: () => Promise<void>, options: ScheduleOptions): Promise<void> {
  const { clock, jitter, periodMs, signal } = options
  let next = clock.now() + clock.random() * jitter * periodMs
  while (!signal.aborted) {
    // A clock that was set back must not silence the task for as long.
    const longest = periodMs * (1 + jitter)
    await clock.wait(Math.min(longest, Math.max(0, next - clock.now())), signal)
    if (signal.aborted) return
    const began = clock.now()
    await task()
    const shift = (clock.random() - 0.5) * jitter * periodMs
    next = began + periodMs + shift
    while (next < clock.now()) next += periodMs
  }
}
