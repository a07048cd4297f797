import { EventEmitter } from 'node:events'

import { defineSignal } from '../src/signals/index.ts'
import { measure, paired, report } from './support/paired.ts'

/** Sends of a signal against emits of Node's `EventEmitter`; both are waited for where there is something to wait for. */
export async function benchSignals(pairs: number, sends: number): Promise<void> {
  for (const [receivers, bar] of [
    [0, 1.5],
    [3, 3],
  ] as const) {
    const signal = defineSignal<number>('bench', { delivery: 'sync' })
    const emitter = new EventEmitter()
    let heard = 0
    for (let index = 0; index < receivers; index += 1) {
      signal.connect((value) => void (heard += value))
      emitter.on('bench', (value: number) => void (heard += value))
    }
    const result = await paired(
      pairs,
      () =>
        measure(sends, () => {
          for (let n = 0; n < sends; n += 1) void signal.send(n)
        }),
      () =>
        measure(sends, () => {
          for (let n = 0; n < sends; n += 1) emitter.emit('bench', n)
        }),
    )
    report(`signal, ${receivers} sync receivers: CPU ÷ EventEmitter`, result.cpu, { atMost: bar })
  }
}
