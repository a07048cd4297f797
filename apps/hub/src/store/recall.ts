/**
 * A text that is another one after every change of the database, by this hub or by another program; `undefined` where
 * that cannot be told more cheaply than by asking again.
 */
export type ChangeMark = () => string | undefined

/**
 * Keeps what was read from the database until anything in it changes.
 *
 * A revoked token, a lost role, a new name: whatever is decided from a kept value is decided as if it had just been read.
 */
export class Recall<Value> {
  readonly #most: number
  readonly #kept = new Map<string, Value>()
  #of: string | undefined

  /** `most` values are kept at once, the oldest go first. */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * The kept value, or the one that `read` finds; that nothing was found is not kept.
   *
   * @param mark - Taken before reading: a change in between makes the value old as soon as it is kept.
   */
  async get(mark: string | undefined, key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    if (mark === undefined) return read()
    if (mark !== this.#of) {
      this.#kept.clear()
      this.#of = mark
    }
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    const value = await read()
    if (value !== undefined && this.#of === mark) this.#keep(key, value)
    return value
  }

  #keep(key: string, value: Value): void {
    if (this.#kept.size >= this.#most) this.#kept.delete(this.#kept.keys().next().value as string)
    this.#kept.set(key, value)
  }
}
