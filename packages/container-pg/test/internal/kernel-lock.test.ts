import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { tryLock, waitForLock } from '../../src/internal/kernel-lock.ts'

test('one holder at a time, in one process', async () => {
  const name = randomUUID()
  const first = await tryLock(name)
  expect(first).toBeDefined()
  expect(await tryLock(name)).toBeUndefined()
  expect(await waitForLock(name, 20)).toBeUndefined()
  const waiting = waitForLock(name, 60_000)
  await first?.[Symbol.asyncDispose]()
  const second = await waiting
  expect(second).toBeDefined()
  await second?.[Symbol.asyncDispose]()
})

test('one holder among the workers of a Node cluster, which share their sockets otherwise', async () => {
  const script = path.join(import.meta.dirname, 'cluster-worker.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, randomUUID()])
  const results = JSON.parse(stdout) as { locked: boolean; port: number }[]
  expect(results.map(({ locked }) => locked)).toEqual([true, false])
  expect(new Set(results.map(({ port }) => port)).size).toBe(2)
}, 60_000)
