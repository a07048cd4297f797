import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { createProcessSpawner } from '../src/spawners/process-spawner.ts'
import type { Spawner } from '../src/spawners/spawner.ts'
import { until } from './support/running-hub.ts'

// Only root may become somebody else; the account is one that every Debian has.
describe.runIf(process.getuid?.() === 0)('servers as system accounts', { timeout: 30_000 }, () => {
  let dir: string
  let spawner: Spawner

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'run-as-'))
    spawner = createProcessSpawner({
      command: ['/bin/sh', '-c', 'id; pwd; ulimit -d; echo HOME=$HOME USER=$USER; echo done; exec sleep 300'],
      ip: '127.0.0.1',
      homes: path.join(dir, 'homes'),
      logs: path.join(dir, 'logs'),
      hubId: path.basename(dir),
      runAs: 'account',
      memLimitBytes: 64 * 1024 ** 2,
      interruptMs: 100,
      termMs: 1000,
    })
  })
  afterEach(async () => {
    await spawner.sweep([])
    rmSync(dir, { recursive: true, force: true })
  })

  const start = (user: string) =>
    spawner.start({
      user,
      server: '',
      prefix: `/user/${user}/`,
      env: {},
      progress: () => {},
      signal: new AbortController().signal,
    })

  test("have the account's rights, home and limits, and none of the hub's groups", async () => {
    const server = await start('daemon')
    await until(async () => (await spawner.logTail('daemon', '')).includes('done'))
    expect(await spawner.logTail('daemon', '')).toBe(
      [
        'uid=1(daemon) gid=1(daemon) groups=1(daemon)',
        '/usr/sbin',
        String(64 * 1024),
        'HOME=/usr/sbin USER=daemon',
        'done',
      ].join('\n'),
    )
    await server.stop()
    expect(await server.status()).toBeTruthy()
  })

  test.each(['root', 'no-such-account-here', '--help', '0'])('are refused to %s', async (user) => {
    await expect(start(user)).rejects.toMatchObject({ code: 'HUB_SPAWN_FAILED' })
    expect(await spawner.sweep([])).toBe(0)
  })
})
