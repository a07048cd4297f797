import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { freePort } from '@org/services'
import { stringify } from 'yaml'

import { loadConfig } from '../../src/config/config.ts'
import { type HubDrivers, runHub, type RunningHub } from '../../src/run.ts'
import { TOKEN } from './running-hub.ts'

/** A hub inside the test's own process, for tests that look into it. */
export interface InProcessHub extends AsyncDisposable {
  readonly running: RunningHub
  readonly dir: string
  /** Every line that it wrote. */
  readonly lines: readonly string[]
}

/** Starts a hub in this process, on free ports and a folder of its own; settings are laid over those of a test. */
export async function startInProcess(
  more: Readonly<Record<string, object>> = {},
  drivers: HubDrivers = {},
): Promise<InProcessHub> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hub-'))
  const file = path.join(dir, 'hub.yaml')
  const settings = {
    port: await freePort(),
    data_dir: path.join(dir, 'data'),
    hub: { port: await freePort() },
    proxy: { api_port: await freePort() },
    spawner: { command: 'bundled' },
    services: [{ name: 'tester', api_token: TOKEN, admin: true }],
    ...more,
  }
  writeFileSync(file, stringify(settings))
  const lines: string[] = []
  const log: Parameters<typeof runHub>[1] = (level, message, fields) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  }
  const running = await runHub(loadConfig({ file, env: {} }), log, drivers)
  return {
    running,
    dir,
    lines,
    async [Symbol.asyncDispose]() {
      await running.stop({ proxy: false, servers: false })
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
