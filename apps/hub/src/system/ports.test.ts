import { expect, test } from 'vitest'

import { PortPool } from './ports.ts'

test('a port is given to one at a time', async () => {
  const found = [1000, 1000, 1000, 1001, 1000]
  const pool = new PortPool(() => Promise.resolve(found.shift() ?? 0))
  const first = await pool.take('127.0.0.1')
  const second = await pool.take('127.0.0.1')
  expect([first.port, second.port]).toEqual([1000, 1001])
  first[Symbol.dispose]()
  const third = await pool.take('127.0.0.1')
  expect(third.port).toBe(1000)
  // Again, and nothing happens: it is the third one's now.
  first[Symbol.dispose]()
  found.push(1000, 1002)
  expect((await pool.take('127.0.0.1')).port).toBe(1002)
})

test('ports that are found are free, and differ however many are asked for at once', async () => {
  const pool = new PortPool()
  const held = await Promise.all(Array.from({ length: 100 }, () => pool.take('127.0.0.1')))
  expect(new Set(held.map(({ port }) => port)).size).toBe(100)
})
