import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type DatabasePool, databasePool, hashFiles } from '@org/container-pg/testing'
import { DiskStore } from '@org/content-sniff'
import { postgresDriver, type TaskWorker } from '@org/task-context'

import { writeUser } from '../../src/accounts.ts'
import {
  type Api,
  createApi,
  createService,
  type RunningService,
  type ServiceOptions,
} from '../../src/create-service.ts'
import { listen } from '../../src/http/listen.ts'
import { createHandlers } from '../../src/jobs/handlers.ts'
import { createLog } from '../../src/log.ts'
import { fileMailer } from '../../src/mail.ts'
import { seed } from '../../src/seed.ts'

/** People of every test database, by id: an administrator, an organiser, and somebody who is neither. */
export const people = { admin: 1, organiser: 2, member: 3 } as const
export type Person = keyof typeof people

export const password = 'a long enough password 42'
const secret = 'a secret of tests, long enough to be taken'

/** An answer, read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- assertions look into documents of any shape
  readonly json: any
}

export interface RequestOptions {
  readonly as?: Person | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A service of its own: database, files, port. */
export interface World extends AsyncDisposable {
  readonly service: RunningService
  readonly databaseUrl: string
  readonly url: string
  readonly folder: string
  /** Lines of the log that tell of warnings and errors. */
  readonly trouble: readonly string[]
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** A session of a person. */
  tokenOf(person: Person): Promise<string>
  /** Starts working on jobs; closed with the world. */
  work(): Promise<TaskWorker>
}

/** The compiled API, made once a test file. */
let compiled: Api | undefined
export const api = (): Api => (compiled ??= createApi())

/** What a test may want otherwise. */
export type Settings = Partial<Pick<ServiceOptions, 'limits' | 'maxUploadBytes'>>

/** Opens a service on a database. */
export async function openWorld(databaseUrl: string, used: Api = api(), settings: Settings = {}): Promise<World> {
  const folder = await mkdtemp(path.join(tmpdir(), 'events-api-'))
  const stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const trouble: string[] = []
  const service = stack.use(
    createService({
      api: used,
      databaseUrl,
      poolSize: 8,
      driver: postgresDriver({ connection: databaseUrl }),
      files: new DiskStore({ root: path.join(folder, 'files'), durable: false }),
      mailer: stack.use(fileMailer(path.join(folder, 'mail'), 'Events <events@example.org>')),
      log: createLog((line) => {
        if (!line.includes('"level":"info"')) trouble.push(line)
      }),
      secret,
      origins: [],
      insecureCookies: true,
      limits: { loginsPerMinute: 0, signUpsPerHour: 0 },
      maxUploadBytes: 1024 * 1024,
      retentionDays: 30,
      trustProxy: true,
      processMetrics: false,
      ...settings,
    }),
  )
  const server = stack.use(
    await listen(service.fetch, { host: '127.0.0.1', port: 0, drainMs: 1000, trustProxy: false }),
  )
  const tokens = new Map<Person, Promise<string>>()
  const tokenOf = (person: Person) => {
    const known = tokens.get(person) ?? service.accounts.sessions.create(person).then(({ token }) => token)
    tokens.set(person, known)
    return known
  }
  return {
    service,
    databaseUrl,
    url: server.url,
    folder,
    trouble,
    tokenOf,
    request: async (method, target, options = {}) => {
      const headers = new Headers(options.headers)
      if (options.as !== undefined) headers.set('authorization', `Bearer ${await tokenOf(options.as)}`)
      const raw =
        typeof options.body === 'string' || options.body instanceof Uint8Array || options.body instanceof FormData
      if (options.body !== undefined && !raw && !headers.has('content-type')) {
        headers.set('content-type', 'application/vnd.api+json')
      }
      const response = await fetch(server.url + target, {
        method,
        headers,
        redirect: 'manual',
        ...(options.body !== undefined && {
          body: raw ? (options.body as string | Uint8Array<ArrayBuffer> | FormData) : JSON.stringify(options.body),
        }),
      })
      const text = await response.text()
      const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '')
      return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
    },
    work: async () => {
      const worker = stack.use(service.tasks.worker(createHandlers(service), { concurrency: 2, drainMs: 1000 }))
      await worker.ready()
      return worker
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** A pool of databases with the people in them and, when asked for, the conference of the demo. */
export async function openPool(
  postgresUrl: string,
  content: 'people' | 'conference',
  options: { readonly warm?: number } = {},
): Promise<DatabasePool> {
  const src = path.join(import.meta.dirname, '../../src')
  return databasePool({
    url: postgresUrl,
    version: `events-api ${content} ${await hashFiles(src, import.meta.filename)}`,
    warm: options.warm ?? 2,
    migrate: async (url) => {
      await using world = await openWorld(url)
      const { service } = world
      await service.migrate()
      for (const [username, id] of Object.entries(people)) {
        const account = await service.accounts.accounts.create({
          username,
          password,
          profile: { fullname: `Person ${id}` },
          isAdmin: username === 'admin',
        })
        await writeUser(service.db, account)
      }
      if (content === 'conference') await seed(service, () => Promise.resolve(password))
    },
  })
}
