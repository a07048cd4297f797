import { printableLine } from '../printable.ts'
import type { ProbeResult } from '../runner/result.ts'
import { mark } from './marks.ts'

/** Shows on a terminal what runs now, in one line that is drawn again. */
export class LiveProgress implements Disposable {
  readonly #stream: NodeJS.WriteStream
  readonly #running = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #done = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#timer = setInterval(() => this.#draw(), 200)
    this.#timer.unref()
  }

  started(id: string): void {
    this.#running.set(id, performance.now())
    this.#draw()
  }

  finished(result: ProbeResult): void {
    this.#running.delete(result.id)
    this.#done++
    if (result.status !== 'pass') {
      this.clear()
      this.#stream.write(`${mark(result.status, true)} ${result.id}: ${printableLine(result.message ?? '')}\n`)
    }
    this.#draw()
  }

  clear(): void {
    this.#stream.write('\r\u001B[K')
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#running.clear()
  }

  #draw(): void {
    const now = performance.now()
    const running = [...this.#running].map(([id, since]) => `${id} ${((now - since) / 1000).toFixed(1)}s`)
    const line = `${this.#done} done${running.length === 0 ? '' : ` · ${running.join(' · ')}`}`
    this.#stream.write(`\r\u001B[K${line.slice(0, (this.#stream.columns || 80) - 1)}`)
  }
}
