/**
 * The same steps, and `close` once behind the last one: at the end, after a failure, or when the consumer lets go.
 *
 * A generator's `finally` is not enough for that: one that is let go of before its first step never enters it, and what
 * was opened for it would stay open. Nobody waits for a generator that hangs in a read, since it never answers.
 */
export function closing<T>(steps: AsyncIterator<T, void>, close: () => Promise<void> | void): AsyncIterableIterator<T> {
  let closed = false
  const closeOnce = async (): Promise<void> => {
    if (closed) return
    closed = true
    await close()
  }
  return {
    async next() {
      try {
        const step = await steps.next()
        if (step.done === true) await closeOnce()
        return step.done === true ? { done: true, value: undefined } : step
      } catch (error) {
        await closeOnce()
        throw error
      }
    },
    async return() {
      void steps.return?.().catch(() => undefined)
      await closeOnce()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
