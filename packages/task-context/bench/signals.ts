import { EventEmitter } from 'node:events'

import { peer } from '@org/bench'
import Emittery from 'emittery'

import { defineSignal } from '../src/signals/index.ts'
import { measure, paired, report } from './support/paired.ts'

/** Sends of a signal against emits of emitters; what has to be waited for is waited for. */
export async function benchSignals(pairs: number, sends: number): Promise<void> {
  await sync(pairs, sends, 0, 1.5)
  await sync(pairs, sends, 3, 3)
  await async(pairs, sends / 10, 1.2)
}

async function sync(pairs: number, sends: number, receivers: number, bar: number): Promise<void> {
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
  const { node } = process.versions
  report(`signal, ${receivers} sync receivers: CPU per send`, result.cpu, {
    goal: { atMost: bar },
    peer: { name: 'EventEmitter of Node', version: node },
  })
}

async function async(pairs: number, sends: number, bar: number): Promise<void> {
  const signal = defineSignal<number>('bench', { delivery: 'sync', concurrency: 3 })
  const emitter = new Emittery<{ bench: number }>()
  let heard = 0
  for (let index = 0; index < 3; index += 1) {
    signal.connect(async (value) => void (heard += value))
    emitter.on('bench', async ({ data }) => void (heard += data))
  }
  const result = await paired(
    pairs,
    () =>
      measure(sends, async () => {
        for (let n = 0; n < sends; n += 1) await signal.send(n)
      }),
    () =>
      measure(sends, async () => {
        for (let n = 0; n < sends; n += 1) await emitter.emit('bench', n)
      }),
  )
  report('signal, 3 async receivers at once: CPU per send', result.cpu, {
    goal: { atMost: bar },
    peer: peer('emittery', import.meta.url),
  })
}
