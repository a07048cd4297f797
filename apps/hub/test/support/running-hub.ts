import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { freePort } from '@org/services'
import { stringify } from 'yaml'

const main = path.resolve(import.meta.dirname, '../../src/main.ts')

/** The token of the service `tester`, an administrator. */
export const TOKEN = 'tester-token-0123456789abcdef01'

/** A hub of a test's own, as a process. Disposing ends it, its proxy and its servers, and removes its folder. */
export interface TestHub extends AsyncDisposable {
  /** Public address with the base path, a slash at the end. */
  readonly url: string
  readonly dir: string
  readonly database: string
  readonly ports: { readonly public: number; readonly hub: number; readonly api: number }
  pid(): number
  /** Calls the API. */
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  /** Runs a command of the hub with the same configuration. */
  command(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<{ code: number; out: string; err: string }>
  /** Sends a signal to the hub alone and waits until it has ended. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Starts it again after {@link TestHub.end}. */
  start(): Promise<void>
  /** What the hub wrote. */
  log(): string
}

export interface CallOptions {
  readonly token?: string | null
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint: the shape is what each test asserts
  readonly json: Json
}

/** JSON as read, for tests that look into it. */
export type Json = { readonly [key: string]: Json } & readonly Json[] & string & number & boolean & null

/** The hub as its sources. */
const SOURCE = ['--conditions=@org/source', main]

/** Starts a hub on free ports; settings are laid over those of a test. `program` is what Node runs. */
export async function startHub(
  settings: Readonly<Record<string, unknown>> = {},
  program: readonly string[] = SOURCE,
): Promise<TestHub> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hub-'))
  const ports = { public: await freePort(), hub: await freePort(), api: await freePort() }
  const file = path.join(dir, 'hub.yaml')
  const { hub, proxy, spawner, services, ...rest } = settings as Record<string, Record<string, unknown>>
  writeFileSync(
    file,
    stringify({
      port: ports.public,
      data_dir: path.join(dir, 'data'),
      hub: { port: ports.hub, ...hub },
      proxy: { api_port: ports.api, ...proxy },
      spawner: { command: 'bundled', poll_interval: 0.2, interrupt_timeout: 3, term_timeout: 1, ...spawner },
      services: [{ name: 'tester', api_token: TOKEN, admin: true }, ...((services ?? []) as unknown as unknown[])],
      ...rest,
    }),
  )
  const base = (settings['base_url'] as string | undefined) ?? '/'
  const url = `http://127.0.0.1:${ports.public}${base.endsWith('/') ? base : `${base}/`}`
  let output = ''
  let child = run()
  let ended = once(child, 'exit')

  function run(args: readonly string[] = []) {
    const { DATABASE_URL: _, ...env } = process.env
    const process_ = spawn(process.execPath, [...program, ...args, '--config', file], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return process_
  }
  async function ready() {
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    while (!output.includes('The hub is ready at')) {
      if (child.exitCode !== null) throw new Error(`The hub ended with code ${child.exitCode}:\n${output}`)
      await delay(10)
    }
  }
  let cleanly = false
  async function end(signal: NodeJS.Signals) {
    child.kill(signal)
    await ended
    cleanly = signal === 'SIGTERM' && child.exitCode === 0
    return child.exitCode
  }
  await ready()

  return {
    url,
    dir,
    ports,
    database: path.join(dir, 'data', 'jupyterhub.sqlite'),
    pid: () => child.pid as number,
    call: (method, where, options) => call(`${url}hub/api${where}`, method, options),
    async command(args, env = {}) {
      const { DATABASE_URL: _, ...outer } = process.env
      const one = spawn(process.execPath, [...program, ...args, '--config', file], {
        env: { ...outer, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let [out, err] = ['', '']
      one.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
      one.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
      const [code] = (await once(one, 'close')) as [number]
      return { code, out, err }
    },
    end,
    async start() {
      output = ''
      cleanly = false
      child = run()
      ended = once(child, 'exit')
      await ready()
    },
    log: () => output,
    async [Symbol.asyncDispose]() {
      if (!cleanly && (child.exitCode !== null || child.signalCode !== null)) {
        // A test left it dead: only a hub can end the proxy and the servers of a hub.
        child = run()
        ended = once(child, 'exit')
        output = ''
        await ready()
      }
      if (!cleanly) await end('SIGTERM')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Makes one request; `token: null` sends none. */
export async function call(url: string, method: string, options: CallOptions = {}): Promise<Answer> {
  const { token = TOKEN, body, headers = {} } = options
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { ...(token === null ? {} : { authorization: `token ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = text !== '' && response.headers.get('content-type')?.includes('json') === true
  const { status } = response
  return { status, headers: response.headers, text, json: (isJson ? JSON.parse(text) : null) as Json }
}

/** Waits until something is so, looking every 25 ms; the test's own limit ends it. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await delay(25)
}
