import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { freePort } from '@org/services'

import { call, type CallOptions, TOKEN } from './running-hub.ts'

const fakeServer = path.join(import.meta.dirname, 'fake-server.ts')
const proxy = path.join(
  path.dirname(createRequire(import.meta.url).resolve('configurable-http-proxy/package.json')),
  'bin/configurable-http-proxy',
)

/** The command that both hubs run as a single-user server in the contract suite. */
export const FAKE_SERVER = [process.execPath, fakeServer]

/** The real JupyterHub on free ports, its servers being the fake one. */
export async function startJupyterHub(options: { readonly config?: string } = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), 'jupyterhub-'))
  const ports = { public: await freePort(), hub: await freePort(), api: await freePort() }
  writeFileSync(
    path.join(dir, 'config.py'),
    `
c.JupyterHub.bind_url = 'http://127.0.0.1:${ports.public}'
c.JupyterHub.hub_port = ${ports.hub}
c.JupyterHub.data_files_path = '/usr/share/jupyterhub'
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:${ports.api}'
c.ConfigurableHTTPProxy.command = [${JSON.stringify(process.execPath)}, ${JSON.stringify(proxy)}]
c.JupyterHub.authenticator_class = 'dummy'
c.DummyAuthenticator.password = 'a fine long password'
c.Authenticator.admin_users = {'root'}
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = '${dir}/home/{username}'
c.Spawner.cmd = ${JSON.stringify(FAKE_SERVER)}
c.Spawner.http_timeout = 6
c.Spawner.start_timeout = 6
c.Spawner.poll_interval = 1
c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 2.5, 'slow_stop_timeout': 2.5}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 2
c.JupyterHub.concurrent_spawn_limit = 10
c.JupyterHub.services = [
  {'name': 'tester', 'api_token': '${TOKEN}', 'admin': True},
  {'name': 'powerless', 'api_token': 'powerless-token-0123456789abcdef'},
  {'name': 'reader', 'api_token': 'reader-token-0123456789abcdef0123'},
  {'name': 'usher', 'api_token': 'usher-token-0123456789abcdef0123'},
]
c.JupyterHub.load_roles = [
  {'name': 'names', 'scopes': ['list:users', 'read:users:name'], 'services': ['reader']},
  {'name': 'ushers', 'scopes': ['admin:users'], 'services': ['usher']},
]
${options.config ?? ''}
`,
  )
  let output = ''
  const child = spawn('/usr/bin/jupyterhub', ['-f', 'config.py'], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}` },
  })
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'exit')
  const url = `http://127.0.0.1:${ports.public}/`
  while (!(await isUp(`${url}hub/health`))) {
    if (child.exitCode !== null) throw new Error(`JupyterHub ended with code ${child.exitCode}:\n${output}`)
    await delay(50)
  }
  return {
    url,
    dir,
    database: path.join(dir, 'jupyterhub.sqlite'),
    pid: child.pid as number,
    log: () => output,
    call: (method: string, where: string, callOptions?: CallOptions) =>
      call(`${url}hub/api${where}`, method, callOptions),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
