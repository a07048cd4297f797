import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { freePort } from '@org/services'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ProxyProcess } from '../src/proxy/proxy-process.ts'
import { isRunning } from '../src/system/processes.ts'
import { until } from './support/running-hub.ts'

const stubborn = path.join(import.meta.dirname, 'support', 'stubborn-proxy.ts')

describe('a proxy that lives and never listens', { timeout: 60_000 }, () => {
  let dir: string
  let mute: string
  let proxy: ProxyProcess
  const lines: string[] = []
  const pid = () => (JSON.parse(readFileSync(path.join(dir, 'proxy.json'), 'utf8')) as { pid: number }).pid

  const make = async (startTimeoutMs: number) =>
    new ProxyProcess({
      dir,
      ip: '127.0.0.1',
      port: await freePort(),
      apiPort: await freePort(),
      errorTarget: 'http://127.0.0.1:1/hub/error',
      maxRssBytes: 1024 ** 3,
      log: (_level, message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`),
      command: [process.execPath, stubborn, mute],
      startTimeoutMs,
    })

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'proxy-'))
    mute = path.join(dir, 'mute')
  })
  afterEach(async () => {
    await proxy.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('fails the start with what was waited for, and is ended', async () => {
    writeFileSync(mute, '')
    proxy = await make(300)
    await expect(proxy.start()).rejects.toMatchObject({
      code: 'HUB_PROXY',
      message: expect.stringMatching(/did not listen on port \d+ within 0.3 s; see .*proxy\.log/) as string,
    })
    expect(isRunning({ pid: pid() })).toBe(false)
  })

  test('as a replacement is replaced itself, and the routes come back', async () => {
    // Long enough for the real one on a busy machine; the mute one costs all of it.
    proxy = await make(3000)
    expect(await proxy.start()).toBe('started')
    let restored = 0
    proxy.watch(async () => {
      await proxy.routes.set('/back/', { target: 'http://127.0.0.1:1' })
      restored += 1
    })
    writeFileSync(mute, '')
    process.kill(pid(), 'SIGKILL')
    await until(() => lines.some((line) => line.includes('did not listen')))
    expect(restored).toBe(0)
    rmSync(mute)
    await until(() => restored > 0)
    expect(await proxy.routes.all()).toHaveProperty('/back')
  })
})
