/** State that changes only after several verdicts of one kind in a row. */
export class Hysteresis {
  readonly #failureThreshold: number
  readonly #successThreshold: number
  #state: 'up' | 'down' | 'unknown'
  #row = 0
  #last: boolean | undefined

  /** @param initial - State before the first verdicts. */
  constructor(
    thresholds: { readonly failureThreshold: number; readonly successThreshold: number },
    initial: 'up' | 'down' | 'unknown' = 'unknown',
  ) {
    this.#failureThreshold = thresholds.failureThreshold
    this.#successThreshold = thresholds.successThreshold
    this.#state = initial
  }

  get state(): 'up' | 'down' | 'unknown' {
    return this.#state
  }

  /** Verdicts of one kind in a row, the last one included. */
  get row(): number {
    return this.#row
  }

  /** Takes one verdict; tells whether the state changed. */
  observe(success: boolean): boolean {
    this.#row = success === this.#last ? this.#row + 1 : 1
    this.#last = success
    const before = this.#state
    if (success && this.#row >= this.#successThreshold) this.#state = 'up'
    if (!success && this.#row >= this.#failureThreshold) this.#state = 'down'
    return this.#state !== before
  }
}
