import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import { freePort } from '@org/services'

import { hubFolder, hubUsers, runHubProgram, type TestHub } from './test-hub.ts'

const require = createRequire(import.meta.url)
const proxyProgram = path.join(
  path.dirname(require.resolve('configurable-http-proxy/package.json')),
  'bin/configurable-http-proxy',
)

const token = 'probe-token-of-the-test-hub-0001'

/** Starts Debian's JupyterHub in a folder of its own, on free ports. */
export async function startJupyterHub(): Promise<TestHub> {
  const { dir, wrapper } = hubFolder('jupyterhub-singleuser --allow-root')
  const ports = { public: await freePort(), api: await freePort(), hub: await freePort() }
  for (const user of hubUsers) mkdirSync(path.join(dir, user))
  const database = path.join(dir, 'jupyterhub.sqlite')
  const proxyPid = path.join(dir, 'proxy.pid')
  writeFileSync(
    path.join(dir, 'config.py'),
    `
from jupyterhub.spawner import SimpleLocalProcessSpawner

class Spawner(SimpleLocalProcessSpawner):
    # Debian packages the classic notebook only.
    def get_env(self):
        return {**super().get_env(), 'JUPYTERHUB_SINGLEUSER_APP': 'notebook.notebookapp.NotebookApp'}

def patience(spawner):
    if spawner.user.name == 'never':
        spawner.http_timeout = 4

c.JupyterHub.spawner_class = Spawner
c.Spawner.pre_spawn_hook = patience
c.Spawner.cmd = ['${wrapper}']
c.Spawner.start_timeout = 60
c.SimpleLocalProcessSpawner.home_dir_template = '${dir}/{username}'
c.JupyterHub.authenticator_class = 'jupyterhub.auth.DummyAuthenticator'
c.JupyterHub.bind_url = 'http://127.0.0.1:${ports.public}'
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:${ports.hub}'
c.JupyterHub.db_url = 'sqlite:///${database}'
c.JupyterHub.cookie_secret_file = '${dir}/cookie_secret'
c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 0.5}
c.ConfigurableHTTPProxy.command = ['${process.execPath}', '${proxyProgram}']
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:${ports.api}'
c.ConfigurableHTTPProxy.pid_file = '${proxyPid}'
c.JupyterHub.services = [{'name': 'probe', 'api_token': '${token}'}]
c.JupyterHub.load_roles = [{
    'name': 'probe',
    'services': ['probe'],
    'scopes': ['admin:users', 'admin:servers', 'access:servers', 'read:hub', 'list:users', 'tokens'],
}]
`,
  )
  const command = ['jupyterhub', '-f', path.join(dir, 'config.py')] as const
  return runHubProgram({ dir, command, port: ports.public, token, database, proxyPid })
}
