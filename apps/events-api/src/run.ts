import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { startEmbeddedPostgres } from '@org/container-pg/embedded'
import { type Driver, postgresDriver, redisDriver } from '@org/task-context'

import type { Config } from './config.ts'
import { createApi, createService } from './create-service.ts'
import { openFiles } from './files.ts'
import type { Fetch } from './http/app.ts'
import { listen } from './http/listen.ts'
import { pruneTrash } from './jobs/definitions.ts'
import { createHandlers } from './jobs/handlers.ts'
import type { Log } from './log.ts'
import { fileMailer, smtpMailer } from './mail.ts'
import { seed, type SeededAccount } from './seed.ts'

/** Every night: the trash empties itself. */
const PRUNE_PATTERN = '17 3 * * *'

/**
 * Runs the service until the signal aborts, then puts everything away: refuses new work, lets running requests and jobs
 * finish, closes the database and stops the embedded server.
 *
 * @throws {@link ListenError} when the port is taken, and whatever keeps the database from starting.
 */
export async function run(config: Config, options: { readonly log: Log; readonly signal: AbortSignal }): Promise<void> {
  const { log, signal } = options
  await using stack = new AsyncDisposableStack()
  // The port comes first: nothing is started for a service that nobody could reach.
  let answer: Fetch = starting
  const server = stack.use(
    await listen((request, facts) => answer(request, facts), {
      host: config.host,
      port: config.port,
      drainMs: config.drainMs,
      trustProxy: config.trustProxy,
    }),
  )

  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })

  let { databaseUrl } = config
  if (databaseUrl === undefined) {
    log.info('starting the embedded Postgres', { dataDir: config.dataDir })
    const postgres = stack.use(await startEmbeddedPostgres({ dataDir: path.join(config.dataDir, 'postgres') }))
    databaseUrl = postgres.url
  }
  const mailer = stack.use(
    config.smtpUrl === undefined
      ? fileMailer(path.join(config.dataDir, 'mail'), config.mailFrom)
      : smtpMailer(config.smtpUrl, config.mailFrom),
  )
  const files = stack.use(await openFiles(config))
  const service = stack.use(
    createService({
      ...config,
      api: createApi(undefined, { softDelete: config.softDelete }),
      databaseUrl,
      driver: openDriver(config, databaseUrl),
      files: files.store,
      mailer,
      log,
      secret: config.secret ?? (await keptSecret(config.dataDir)),
      processMetrics: true,
    }),
  )
  await service.migrate()

  if (config.seed) {
    await seed(
      service,
      async (account) => config.passwords[account] ?? (await newPassword(config.dataDir, account, log)),
    )
  }

  if (config.role !== 'web') {
    await service.tasks.schedule('prune-trash', { pattern: PRUNE_PATTERN, timeZone: 'UTC' }, pruneTrash, {})
    const worker = service.tasks.worker(createHandlers(service), {
      concurrency: config.concurrency,
      drainMs: config.drainMs,
    })
    stack.use(worker)
    await worker.ready()
  } else if (config.redisUrl !== undefined) {
    // Jobs wait in the outbox until somebody moves them; a web process that is alone does it, too.
    service.tasks.relay()
  }

  answer = service.fetch
  log.info('ready', { role: config.role, url: server.url, docs: `${server.url}/docs` })

  await aborted(signal)
  log.info('stopping', { reason: String(signal.reason) })
  service.drain()
  // Requests end before the workers do, and both before the database.
  await server[Symbol.asyncDispose]()
}

/** Answers until the database is there. */
function starting(request: Request): Promise<Response> {
  const ping = new URL(request.url).pathname === '/ping'
  const answer = ping
    ? Response.json({ msg: 'pong' })
    : new Response('Starting\n', { status: 503, headers: { 'retry-after': '1' } })
  return Promise.resolve(answer)
}

function openDriver(config: Config, databaseUrl: string): Driver {
  return config.redisUrl === undefined
    ? postgresDriver({ connection: databaseUrl })
    : redisDriver({ connection: config.redisUrl, prefix: config.redisPrefix })
}

/** The secret of a service that was given none: made once, kept beside its data. */
async function keptSecret(dataDir: string): Promise<string> {
  const file = path.join(dataDir, 'secret')
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.writeFile(randomBytes(48).toString('base64url'))
    await handle.sync()
    await handle.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const secret = await readFile(file, 'utf8')
  if (secret.length >= 32) return secret
  throw new Error(`Expected ${file} to hold a secret; remove it, or set SECRET`)
}

/** Makes a password and keeps it in a file that only its owner reads; never in the log. */
async function newPassword(dataDir: string, account: SeededAccount, log: Log): Promise<string> {
  const password = randomBytes(12).toString('base64url')
  const file = path.join(dataDir, 'accounts.txt')
  await writeFile(file, `${account} ${password}\n`, { mode: 0o600, flag: 'a', flush: true })
  log.info('password generated', { account, keptIn: file })
  return password
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
