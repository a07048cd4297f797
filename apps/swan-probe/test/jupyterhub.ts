import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { freePort } from '@org/services'

import type { TestHub } from './test-hub.ts'

const proxyProgram = path.join(
  path.dirname(createRequire(import.meta.url).resolve('configurable-http-proxy/package.json')),
  'bin/configurable-http-proxy',
)

/** Users of the test hub by what their servers do. */
const config = (ports: { public: number; api: number; hub: number }, dir: string, token: string) => `
import sys
from jupyterhub.spawner import SimpleLocalProcessSpawner

class Spawner(SimpleLocalProcessSpawner):
    def get_env(self):
        return {**super().get_env(), 'JUPYTERHUB_SINGLEUSER_APP': 'notebook.notebookapp.NotebookApp'}

    async def start(self):
        if self.user.name == 'failing':
            raise RuntimeError('no node has room for failing')
        if self.user.name == 'never':
            self.cmd = ['sleep', '3600']
            self.args = []
        return await super().start()

c.JupyterHub.spawner_class = Spawner
c.JupyterHub.authenticator_class = 'jupyterhub.auth.DummyAuthenticator'
c.Authenticator.allowed_users = {'alice', 'bob', 'user1', 'user10', 'failing', 'never'}
c.JupyterHub.bind_url = 'http://127.0.0.1:${ports.public}'
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:${ports.hub}'
c.JupyterHub.db_url = 'sqlite:///${dir}/jupyterhub.sqlite'
c.JupyterHub.cookie_secret_file = '${dir}/cookie_secret'
c.ConfigurableHTTPProxy.command = ['${process.execPath}', '${proxyProgram}']
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:${ports.api}'
c.ConfigurableHTTPProxy.pid_file = '${dir}/proxy.pid'
c.Spawner.args = ['--allow-root']
c.SimpleLocalProcessSpawner.home_dir_template = '${dir}/{username}'
c.Spawner.start_timeout = 20
c.Spawner.http_timeout = 20
c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 0.5}
c.JupyterHub.services = [{'name': 'probe', 'api_token': '${token}'}]
c.JupyterHub.load_roles = [{'name': 'probe', 'services': ['probe'],
  'scopes': ['admin:users', 'admin:servers', 'access:servers', 'read:hub', 'list:users', 'tokens']}]
`

/** Starts Debian's JupyterHub in a folder of its own, on free ports. */
export async function startJupyterHub(): Promise<TestHub> {
  const dir = mkdtempSync(path.join(tmpdir(), 'jupyterhub-'))
  const ports = { public: await freePort(), api: await freePort(), hub: await freePort() }
  const token = 'probe-token-of-the-test-hub-0001'
  writeFileSync(path.join(dir, 'config.py'), config(ports, dir, token))
  for (const user of ['alice', 'bob', 'user1', 'user10', 'failing', 'never']) mkdirSync(path.join(dir, user))
  const log = openSync(path.join(dir, 'hub.log'), 'w')
  const child: ChildProcess = spawn('jupyterhub', ['-f', path.join(dir, 'config.py')], {
    cwd: dir,
    stdio: ['ignore', log, log],
    detached: true,
  })
  const ended = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGINT')
    const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 15_000)
    await ended
    clearTimeout(timer)
    rmSync(dir, { recursive: true, force: true })
  }
  while (!(await answers(`http://127.0.0.1:${ports.public}/hub/api/`))) {
    if (child.exitCode !== null)
      throw new Error(`jupyterhub ended:\n${readFileSync(path.join(dir, 'hub.log'), 'utf8')}`)
    await delay(100)
  }
  return {
    kind: 'jupyterhub',
    port: ports.public,
    token,
    database: path.join(dir, 'jupyterhub.sqlite'),
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: stop,
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200
  } catch {
    return false
  }
}
