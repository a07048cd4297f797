import { expect, test } from 'vitest'

import { createGate } from './gate.ts'

test('runs so many at once, lets so many wait in order, and turns the rest away at once', async () => {
  const gate = createGate({ inFlight: 2, waiting: 1 })
  const order: string[] = []
  const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const enter = (name: string, until?: Promise<void>) =>
    gate.run(async () => {
      order.push(name)
      await until
      return name
    })
  const running = [enter('one', held[0]?.promise), enter('two', held[1]?.promise)]
  const waiting = enter('three')
  await expect(enter('four')).rejects.toMatchObject({ code: 'NATIVE_AUTH_BUSY', retryAfterSeconds: 1 })
  expect(order).toEqual(['one', 'two'])
  held[0]?.resolve()
  expect(await waiting).toBe('three')
  held[1]?.resolve()
  expect(await Promise.all(running)).toEqual(['one', 'two'])
  expect(await enter('five')).toBe('five')
})

test('gives its place back after a failure', async () => {
  const gate = createGate({ inFlight: 1, waiting: 0 })
  await expect(gate.run(() => Promise.reject(new Error('x')))).rejects.toThrow('x')
  expect(await gate.run(() => Promise.resolve('next'))).toBe('next')
})
