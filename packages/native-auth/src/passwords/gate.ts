import { NativeAuthError } from '../errors.ts'

/** Lets a bounded number of hashes run and a bounded number wait; the rest is turned away at once. */
export interface Gate {
  /**
   * Runs the work when it is its turn.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_BUSY` when the queue is full.
   */
  run<Result>(work: () => Promise<Result>): Promise<Result>
}

/**
 * Builds a gate.
 *
 * @param limits - `inFlight`: below the size of libuv's pool, or file and DNS calls starve behind the hashes;
 *   `waiting`: bounds the memory and the time a client may wait.
 */
export function createGate(limits: { readonly inFlight: number; readonly waiting: number }): Gate {
  let running = 0
  const queue: (() => void)[] = []
  const enter = (): Promise<void> | undefined => {
    if (running < limits.inFlight) {
      running += 1
      return undefined
    }
    if (queue.length >= limits.waiting) {
      throw new NativeAuthError('NATIVE_AUTH_BUSY', 'Too many logins at once; try again in a moment', {
        retryAfterSeconds: 1,
      })
    }
    return new Promise((resolve) => queue.push(resolve))
  }
  const leave = () => {
    const next = queue.shift()
    // The place is handed over, so that a newcomer cannot slip in between.
    if (next === undefined) running -= 1
    else next()
  }
  return {
    async run(work) {
      await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}
