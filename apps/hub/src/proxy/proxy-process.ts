import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { HubError } from '../errors.ts'
import type { Log } from '../log.ts'
import { requireFreePort } from '../system/ports.ts'
import { writePrivately } from '../system/private-files.ts'
import { hasEnded, identify, isRunning, type ProcessIdentity, residentBytes, signalGroup } from '../system/processes.ts'
import { RouteTable } from './routes.ts'

/** What the proxy needs to know. */
export interface ProxyOptions {
  /** Folder of its record and its log. */
  readonly dir: string
  readonly ip: string
  readonly port: number
  readonly apiPort: number
  /** Where error pages come from. */
  readonly errorTarget: string
  readonly sslKey?: string | undefined
  readonly sslCert?: string | undefined
  readonly maxRssBytes: number
  readonly log: Log
  /** The program and its first arguments. @default Node with configurable-http-proxy */
  readonly command?: readonly [program: string, ...args: string[]]
  /** How long a new proxy may take until it listens, in milliseconds. @default 30_000 */
  readonly startTimeoutMs?: number
}

/** What is kept about a running proxy, so that the next hub takes it over instead of cutting everybody's connections. */
interface ProxyRecord extends ProcessIdentity {
  readonly token: string
  readonly args: readonly string[]
}

/** How often a proxy that is not our child is looked at, in milliseconds. */
const WATCH_MS = 500
/** Longest start of a proxy, in milliseconds: an idle machine needs one second, a busy one several. */
const START_MS = 30_000

/**
 * configurable-http-proxy as a process of its own group: it outlives the hub, and with it every open websocket.
 *
 * `start` takes over the proxy of a former hub when it listens as configured; otherwise it starts a new one. While
 * watched, a proxy that ends or outgrows its memory limit is replaced.
 */
export class ProxyProcess {
  readonly #options: ProxyOptions
  readonly #program: string
  readonly #args: readonly string[]
  #record: ProxyRecord | undefined
  #routes: RouteTable | undefined
  #watch: NodeJS.Timeout | undefined
  #replacing: Promise<void> | undefined
  #onReplaced: () => Promise<void> = () => Promise.resolve()
  #wanted = false

  constructor(options: ProxyOptions) {
    this.#options = options
    const [program, ...first] = options.command ?? configurableHttpProxy()
    this.#program = program
    this.#args = [
      ...first,
      `--ip=${options.ip}`,
      `--port=${options.port}`,
      '--api-ip=127.0.0.1',
      `--api-port=${options.apiPort}`,
      `--error-target=${options.errorTarget}`,
      '--log-level=warn',
      ...(options.sslKey === undefined ? [] : ['--ssl-key', options.sslKey]),
      ...(options.sslCert === undefined ? [] : ['--ssl-cert', options.sslCert]),
    ]
  }

  /** The routing table of the running proxy. */
  get routes(): RouteTable {
    if (this.#routes === undefined) throw new HubError('HUB_PROXY', 'The proxy has not been started')
    return this.#routes
  }

  get pid(): number | undefined {
    return this.#record?.pid
  }

  /**
   * Takes over the proxy of a former hub, or starts one.
   *
   * @throws {@link HubError} `HUB_PORT_TAKEN`, `HUB_PROXY` when it does not come up.
   */
  async start(): Promise<'adopted' | 'started'> {
    const adopted = await this.#adopt()
    if (!adopted) await this.#launch()
    return adopted ? 'adopted' : 'started'
  }

  /** Begins to watch the proxy: one that ends is replaced, and `onReplaced` puts its routes back. */
  watch(onReplaced: () => Promise<void>): void {
    this.#onReplaced = onReplaced
    this.#wanted = true
    this.#watch = setInterval(() => this.#look(), WATCH_MS)
    this.#watch.unref()
    this.#look()
  }

  /** Stops watching; the proxy goes on. */
  release(): void {
    this.#wanted = false
    clearInterval(this.#watch)
    this.#routes?.[Symbol.dispose]()
  }

  /** Ends the proxy and forgets it. */
  async stop(): Promise<void> {
    this.release()
    await this.#replacing
    if (this.#record !== undefined) await end(this.#record)
    rmSync(this.#file, { force: true })
  }

  get #file(): string {
    return path.join(this.#options.dir, 'proxy.json')
  }

  async #adopt(): Promise<boolean> {
    let record: ProxyRecord
    try {
      record = JSON.parse(readFileSync(this.#file, 'utf8')) as ProxyRecord
    } catch {
      return false
    }
    if (!isRunning(record)) return false
    if (JSON.stringify(record.args) === JSON.stringify(this.#args)) {
      const routes = new RouteTable({ port: this.#options.apiPort, token: record.token })
      try {
        await routes.all()
        this.#record = record
        this.#routes = routes
        return true
      } catch {
        routes[Symbol.dispose]()
      }
    }
    // Ours, but listening elsewhere or stuck: it makes room for one that fits.
    await end(record)
    return false
  }

  async #launch(): Promise<void> {
    const { dir, ip, port, apiPort, log } = this.#options
    await requireFreePort(ip, port, 'port')
    await requireFreePort('127.0.0.1', apiPort, 'proxy.api_port')
    // A replaced proxy keeps the token: a route that is being set when it ends is then set in the next one.
    const token = this.#record?.token ?? randomBytes(32).toString('hex')
    const logFile = openSync(path.join(dir, 'proxy.log'), 'a', 0o600)
    let child: ChildProcess
    try {
      child = spawn(this.#program, [...this.#args], {
        detached: true,
        stdio: ['ignore', logFile, logFile],
        env: {
          PATH: process.env['PATH'],
          CONFIGPROXY_AUTH_TOKEN: token,
          NODE_ENV: 'production',
          // In the hub's own folder, where nobody else can put compiled code: the next proxy is up sooner.
          NODE_COMPILE_CACHE: path.join(dir, 'compiled'),
        },
      })
    } finally {
      closeSync(logFile)
    }
    child.unref()
    // Without a listener a program that cannot be started would end the hub; there is no process number then.
    child.on('error', () => {})
    const { pid } = child
    if (pid === undefined) throw new HubError('HUB_PROXY', 'The proxy could not be started')
    const record = { ...identify(pid), token, args: this.#args }
    writePrivately(this.#file, JSON.stringify(record))
    this.#record = record
    child.once('exit', () => this.#look())
    await this.#untilItListens(record)
    this.#routes ??= new RouteTable({ port: apiPort, token })
    log('info', 'proxy started', { pid, port })
  }

  /** A proxy that does not come to listen is ended: the next one would find its ports taken, or wait behind it. */
  async #untilItListens(record: ProxyRecord): Promise<void> {
    const { dir, ip, port, apiPort, startTimeoutMs = START_MS } = this.#options
    const log = path.join(dir, 'proxy.log')
    const deadline = performance.now() + startTimeoutMs
    for (const [host, wanted] of [
      [ip, port],
      ['127.0.0.1', apiPort],
    ] as const) {
      while (!(await accepts(host, wanted))) {
        if (!isRunning(record)) throw new HubError('HUB_PROXY', `The proxy ended before it listened; see ${log}`)
        if (performance.now() >= deadline) {
          await end(record)
          const seconds = startTimeoutMs / 1000
          throw new HubError('HUB_PROXY', `The proxy did not listen on port ${wanted} within ${seconds} s; see ${log}`)
        }
        await delay(20)
      }
    }
  }

  #look(): void {
    if (!this.#wanted || this.#replacing !== undefined || this.#record === undefined) return
    const record = this.#record
    const alive = isRunning(record)
    const grown = alive && (residentBytes(record.pid) ?? 0) > this.#options.maxRssBytes
    if (alive && !grown) return
    this.#options.log('warn', grown ? 'proxy has outgrown its memory limit' : 'proxy has ended', { pid: record.pid })
    this.#replacing = this.#replace(record).finally(() => {
      this.#replacing = undefined
    })
  }

  async #replace(record: ProxyRecord): Promise<void> {
    try {
      await end(record)
      await this.#launch()
      await this.#onReplaced()
    } catch (error) {
      // The next look tries again.
      this.#options.log('error', 'proxy could not be replaced', { reason: String(error) })
    }
  }
}

function configurableHttpProxy(): [program: string, script: string] {
  const manifest = createRequire(import.meta.url).resolve('configurable-http-proxy/package.json')
  return [process.execPath, path.join(path.dirname(manifest), 'bin', 'configurable-http-proxy')]
}

async function end(identity: ProcessIdentity): Promise<void> {
  if (!isRunning(identity)) return
  signalGroup(identity, 'SIGTERM')
  if (await hasEnded(identity, 3000)) return
  signalGroup(identity, 'SIGKILL')
  await hasEnded(identity, 3000)
}

function accepts(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, host === '0.0.0.0' ? '127.0.0.1' : host)
  socket.setTimeout(1000, () => socket.destroy(new Error('no answer')))
  socket.on('connect', () => {
    socket.destroy()
    resolve(true)
  })
  socket.on('error', () => resolve(false))
  return promise
}
