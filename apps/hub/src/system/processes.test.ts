import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { expect, test } from 'vitest'

import { identify, isRunning, signalGroup } from './processes.ts'

test('a signal for a process that has ended does not reach the one that has its number now', async () => {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  const identity = identify(child.pid as number)
  // As it would look if the number had been another's before.
  signalGroup({ pid: identity.pid, ticks: (identity.ticks ?? 0) - 1 }, 'SIGKILL')
  const alive = isRunning(identity)
  signalGroup(identity, 'SIGTERM')
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  expect({ alive, signal }).toEqual({ alive: true, signal: 'SIGTERM' })
})

test('a group outlives its leader, and is reached all the same', async () => {
  const leader = spawn('sh', ['-c', 'sleep 600 & echo $!'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  const identity = identify(leader.pid as number)
  const [line] = (await once(leader.stdout, 'data')) as [Buffer]
  const member = identify(Number(line.toString()))
  await once(leader, 'exit')
  expect(isRunning(member)).toBe(true)
  signalGroup(identity, 'SIGKILL')
  while (isRunning(member)) await new Promise((resolve) => setImmediate(resolve))
  expect(isRunning(member)).toBe(false)
})
