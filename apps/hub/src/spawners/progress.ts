/** One message about a start. The last one is `ready` or `failed`. */
export interface ProgressEvent {
  readonly progress: number
  readonly message: string
  readonly html_message?: string
  readonly ready?: true
  readonly failed?: true
  readonly url?: string
}

/** The messages of one start: kept from the first, given to each reader whenever it comes. */
export class ProgressLog {
  readonly #events: ProgressEvent[] = []
  #wake = Promise.withResolvers<void>()
  #closed = false

  add(event: ProgressEvent): void {
    if (this.#closed) return
    this.#events.push(event)
    this.#closed = event.ready === true || event.failed === true
    const { resolve } = this.#wake
    this.#wake = Promise.withResolvers<void>()
    resolve()
  }

  /** All messages, old and coming, until the last. */
  async *read(): AsyncGenerator<ProgressEvent, void> {
    for (let next = 0; ;) {
      const wake = this.#wake.promise
      for (; next < this.#events.length; next += 1) yield this.#events[next] as ProgressEvent
      if (this.#closed) return
      await wake
    }
  }
}
