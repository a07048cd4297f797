import { writeFileSync } from 'node:fs'
import path from 'node:path'

import { freePort } from '@org/services'

import { hubFolder, runHubProgram, type TestHub } from './test-hub.ts'

const hub = path.join(import.meta.dirname, '../../hub/src')
const token = 'probe-token-of-the-test-hub-0002'

/** Starts the hub of this repository in a folder of its own, as a process: its sources are none of our business. */
export async function startOurHub(): Promise<TestHub> {
  const { dir, wrapper } = hubFolder(`${process.execPath} ${path.join(hub, 'singleuser/main.ts')}`)
  const ports = { public: await freePort(), api: await freePort(), hub: await freePort() }
  const settings = {
    port: ports.public,
    data_dir: path.join(dir, 'data'),
    hub: { port: ports.hub },
    proxy: { api_port: ports.api },
    services: [{ name: 'probe', api_token: token, admin: true }],
    spawner: { command: [wrapper], slow_spawn_timeout: 0.5, start_timeout: 6 },
  }
  const config = path.join(dir, 'hub.yaml')
  writeFileSync(config, JSON.stringify(settings))
  return runHubProgram({
    dir,
    command: [process.execPath, '--conditions=@org/source', path.join(hub, 'main.ts'), '--config', config],
    env: { DATABASE_URL: '' },
    port: ports.public,
    token,
    database: path.join(dir, 'data/jupyterhub.sqlite'),
    proxyPid: path.join(dir, 'data/proxy.json'),
  })
}
