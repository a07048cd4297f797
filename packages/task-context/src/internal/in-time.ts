/** How long the end waits for a server that does not answer, in milliseconds. */
export const CLOSE_MS = 3000

/** How long a connection may take to end that was cut: ioredis gives the other side 2 s to say goodbye. */
const CUT_MS = 2500

/** Waits for work, but no longer than `ms`; tells whether it has settled. */
export async function settlesWithin(work: PromiseLike<unknown>, ms: number): Promise<boolean> {
  const { promise: enough, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, ms, false)
  const settled = () => true
  try {
    return await Promise.race([work.then(settled, settled), enough])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Waits for something that closes; after 3 s cuts it off, and soon after that waits no longer.
 *
 * @param calm - Resolves once nothing is at work that may take its own time, with how much of that there has been.
 */
export async function closeInTime(
  closing: Promise<unknown>,
  cut: () => void,
  calm: () => Promise<number> = () => Promise.resolve(0),
): Promise<void> {
  let before: number
  do {
    before = await calm()
    if (await settlesWithin(closing, CLOSE_MS)) return void (await closing)
  } while ((await calm()) !== before)
  cut()
  if (await settlesWithin(closing, CUT_MS)) await closing
}
