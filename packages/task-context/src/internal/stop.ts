/** One signal out of several reasons to stop; disposing clears the timers. */
export interface Stop extends Disposable {
  readonly signal: AbortSignal
}

/** Node's timers take at most this many milliseconds; a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Combines a signal with time limits, each with the error it aborts with. An `undefined` limit is none. */
export function combineSignals(
  outer: AbortSignal,
  limits: readonly (readonly [ms: number | undefined, error: () => Error])[],
): Stop {
  const controller = new AbortController()
  const forward = () => controller.abort(outer.reason)
  if (outer.aborted) forward()
  else outer.addEventListener('abort', forward, { once: true })
  const timers = limits.flatMap(([ms, error]) =>
    ms === undefined || ms > LONGEST_TIMER_MS ? [] : [setTimeout(() => controller.abort(error()), Math.max(0, ms))],
  )
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      outer.removeEventListener('abort', forward)
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

/**
 * Waits for work; after an abort for `graceMs` more, then rejects with the abort's reason and leaves it behind.
 *
 * A promise cannot be stopped. What is left behind finds its scope ended and its transaction closed.
 */
export function settleWithin<T>(work: PromiseLike<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const giveUp = () => {
      timer = setTimeout(() => reject(signal.reason), graceMs)
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
    const stopWaiting = () => {
      signal.removeEventListener('abort', giveUp)
      clearTimeout(timer)
    }
    work.then(
      (value) => {
        stopWaiting()
        resolve(value)
      },
      (error: unknown) => {
        stopWaiting()
        reject(error)
      },
    )
  })
}
