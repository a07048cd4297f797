/** `npm start`: the hub, the events API and the probes on embedded defaults, until Ctrl-C or, with `--once`, one run. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { Child, DemoError } from './child.ts'
import { claimable, freePort } from './ports.ts'
import { type DemoOptions, readOptions, usage } from './options.ts'
import { probeUser, writeProbeFile } from './probe-file.ts'
import { type DemoSecrets, demoSecrets } from './secrets.ts'

const root = path.resolve(import.meta.dirname, '../..')
const app = (name: string) => ['--conditions=@org/source', path.join(root, 'apps', name, 'src', 'main.ts')]

/** What an app may see of our environment; a `DATABASE_URL` that is meant for something else is not for the demo. */
function appEnv(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, USER, LANG, TMPDIR, TZ, XDG_CACHE_HOME } = process.env
  return { PATH, HOME, USER, LANG, TMPDIR, TZ, XDG_CACHE_HOME, ...extra }
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`▸ ${name} … `)
  const started = performance.now()
  try {
    const result = await work()
    process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s\n`)
    return result
  } catch (error) {
    process.stdout.write('failed\n')
    throw error
  }
}

interface RunOptions {
  readonly env: NodeJS.ProcessEnv
  /** Whether only what it says of errors is shown. */
  readonly quiet: boolean
  readonly signal: AbortSignal
}

/** Runs a command to its end, on our terminal; aborting lets it put its things away first. */
async function run(args: readonly string[], { env, quiet, signal }: RunOptions): Promise<number> {
  signal.throwIfAborted()
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'] })
  const end = () => child.kill('SIGTERM')
  signal.addEventListener('abort', end)
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.removeEventListener('abort', end)
  return code ?? 1
}

async function startHub(options: DemoOptions, secrets: DemoSecrets, signal: AbortSignal): Promise<Child> {
  const config = path.join(options.dataDir, 'hub.yaml')
  const probe = { name: 'swan-probe', api_token_env: 'PROBE_TOKEN', admin: true }
  const settings = { port: options.hubPort, data_dir: path.join(options.dataDir, 'hub'), services: [probe] }
  writeFileSync(config, `${JSON.stringify(settings, undefined, 2)}\n`)
  const env = appEnv({
    PROBE_TOKEN: secrets.probeToken,
    HUB_INTERNAL_PORT: String(await freePort()),
    HUB_PROXY_API_PORT: String(await freePort()),
  })
  const admin = { ...env, HUB_ADMIN_PASSWORD: secrets.adminPassword }
  const create = [...app('hub'), 'create-admin', 'admin', '--config', config]
  const code = await run(create, { env: admin, quiet: true, signal })
  signal.throwIfAborted()
  if (code !== 0) throw new DemoError('The hub refused to make its administrator; its reason stands above')
  const hub = await Child.start({
    name: 'hub',
    args: [...app('hub'), '--config', config],
    env,
    logDir: path.join(options.dataDir, 'logs'),
    readyUrl: `http://127.0.0.1:${options.hubPort}/hub/health`,
    readyMs: 60_000,
    signal,
  })
  try {
    const response = await fetch(`http://127.0.0.1:${options.hubPort}/hub/api/users/${probeUser}`, {
      method: 'POST',
      headers: { authorization: `token ${secrets.probeToken}` },
      signal,
    })
    // 409: the account of an earlier start.
    if (response.status !== 201 && response.status !== 409) {
      throw new DemoError(`Port ${options.hubPort} answers, but not as our hub (status ${response.status})`)
    }
    return hub
  } catch (error) {
    await hub[Symbol.asyncDispose]()
    throw error
  }
}

function startEvents(options: DemoOptions, secrets: DemoSecrets, signal: AbortSignal): Promise<Child> {
  return Child.start({
    name: 'events-api',
    args: app('events-api'),
    env: appEnv({
      PORT: String(options.eventsPort),
      DATA_DIR: path.join(options.dataDir, 'events-api'),
      ADMIN_PASSWORD: secrets.adminPassword,
      ORGANISER_PASSWORD: secrets.organiserPassword,
    }),
    logDir: path.join(options.dataDir, 'logs'),
    readyUrl: `http://127.0.0.1:${options.eventsPort}/ping`,
    readyMs: 120_000,
    signal,
  })
}

function probe(options: DemoOptions, secrets: DemoSecrets, signal: AbortSignal): Promise<number> {
  const file = writeProbeFile(options.dataDir, options.hubPort)
  const args = [...app('swan-probe'), '-c', file, '--format', 'table']
  return run(args, { env: appEnv({ PROBE_TOKEN: secrets.probeToken }), quiet: false, signal })
}

function printAddresses(options: DemoOptions): void {
  console.log(`
  hub          http://127.0.0.1:${options.hubPort}/hub/      sign in as admin, or sign up and let admin authorise you
  events API   http://127.0.0.1:${options.eventsPort}/docs      organiser or admin; GET /v1/events needs no login

  passwords    ${path.join(options.dataDir, 'secrets.json')}  (made at the first start)
  logs         ${path.join(options.dataDir, 'logs')}

  Ctrl-C stops everything.
`)
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env, root)
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  const stop = new AbortController()
  const asked = once(stop.signal, 'abort')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => stop.abort(new DemoError('Stopped before it was done')))
  }
  await claimable(options.hubPort, '`--hub-port` or HUB_PORT')
  await claimable(options.eventsPort, '`--events-port` or EVENTS_PORT')
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  const secrets = demoSecrets(options.dataDir)
  await using stack = new AsyncDisposableStack()
  const events = stack.use(
    await step('events API on an embedded Postgres', () => startEvents(options, secrets, stop.signal)),
  )
  const hub = stack.use(await step('hub and proxy', () => startHub(options, secrets, stop.signal)))
  if (options.once) {
    console.log('▸ probes')
    const code = await probe(options, secrets, stop.signal)
    stop.signal.throwIfAborted()
    console.log('▸ stopping')
    return code
  }
  printAddresses(options)
  const end = await Promise.race([asked, hub.ended(), events.ended()])
  console.log('\n▸ stopping')
  if (typeof end === 'string') throw new DemoError(end)
  return 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof DemoError ? `\n✖ ${error.message}` : error)
  process.exitCode = 1
}
