/** Lets one task at a time into a lane; a task may take several lanes at once. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs a task when all its lanes are free. Lanes are taken together, so two tasks never wait for each other. */
  async run<T>(keys: readonly string[], task: () => Promise<T>): Promise<T> {
    const unique = [...new Set(keys)]
    const before = unique.flatMap((key) => this.#tails.get(key) ?? [])
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const key of unique) this.#tails.set(key, promise)
    await Promise.all(before)
    try {
      return await task()
    } finally {
      resolve()
    }
  }
}
