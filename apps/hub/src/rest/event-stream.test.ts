import { expect, test } from 'vitest'

import { ProgressLog } from '../spawners/progress.ts'
import { eventStream } from './event-stream.ts'

/** A clock that is moved by hand. */
function handClock() {
  const running = new Map<() => void, number>()
  return {
    running,
    tick: () => {
      for (const run of running.keys()) run()
    },
    every: (ms: number, run: () => void) => {
      running.set(run, ms)
      return () => void running.delete(run)
    },
  }
}

async function open() {
  const log = new ProgressLog()
  log.add({ progress: 0, message: 'begun' })
  const clock = handClock()
  const events = log.read()
  const reader = eventStream(await events.next(), events, clock.every).getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  return { log, clock, reader, read }
}

test('a quiet stream has a blank line every 8 seconds, until the last message', async () => {
  const { log, clock, reader, read } = await open()
  expect(await read()).toBe('data: {"progress":0,"message":"begun"}\n\n')
  expect([...clock.running.values()]).toEqual([8000])
  clock.tick()
  clock.tick()
  expect([await read(), await read()]).toEqual(['\n\n', '\n\n'])
  log.add({ progress: 100, message: 'done', ready: true })
  expect(await read()).toContain('"ready":true')
  expect((await reader.read()).done).toBe(true)
  expect(clock.running.size).toBe(0)
})

test('a stream whose reader has gone keeps no clock', async () => {
  const { log, clock, reader, read } = await open()
  await read()
  const cancelled = reader.cancel()
  expect(clock.running.size).toBe(0)
  log.add({ progress: 50, message: 'on' })
  await cancelled
})
