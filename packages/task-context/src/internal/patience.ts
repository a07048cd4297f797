import { setLongTimeout } from './timers.ts'

/** Waits for answers, each for the same time. */
export interface Patience {
  /** Settles like `answer`, or rejects with `error()` when that takes too long. */
  readonly within: <T>(answer: Promise<T>, error: () => Error) => Promise<T>
}

/**
 * One timer for all that wait, not one each: as all wait equally long, the oldest is always the next to give up.
 */
export function createPatience(ms: number): Patience {
  const line = new Set<{ readonly until: number; readonly giveUp: () => void }>()
  let timer: NodeJS.Timeout | undefined

  function wait(forMs: number): void {
    timer = setLongTimeout(look, forMs)
    // Whoever is to answer keeps the process alive, or nobody waits for it.
    timer.unref()
  }

  function look(): void {
    timer = undefined
    const now = performance.now()
    for (const one of line) {
      if (one.until > now) return wait(one.until - now)
      line.delete(one)
      one.giveUp()
    }
  }

  return {
    within: (answer, error) =>
      new Promise((resolve, reject) => {
        const one = { until: performance.now() + ms, giveUp: () => reject(error()) }
        line.add(one)
        if (timer === undefined) wait(ms)
        answer.then(
          (value) => {
            line.delete(one)
            resolve(value)
          },
          (reason: unknown) => {
            line.delete(one)
            reject(reason)
          },
        )
      }),
  }
}
