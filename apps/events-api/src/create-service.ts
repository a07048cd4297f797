import type { Store as FileStore } from '@org/content-sniff'
import { createTasks, type Driver, kyselyDatabase } from '@org/task-context'
import { Ajv2020 } from 'ajv/dist/2020.js'

import { createAccounts } from './accounts.ts'
import { accountOperations } from './http/account-routes.ts'
import { createApp, type Fetch } from './http/app.ts'
import { exportOperations } from './http/export-routes.ts'
import type { Operation } from './http/operation.ts'
import { relationshipOperations } from './http/relationship-routes.ts'
import { resourceOperations } from './http/resource-routes.ts'
import { serviceOperations } from './http/service-routes.ts'
import { uploadOperations } from './http/upload-routes.ts'
import { connectJobs } from './jobs/handlers.ts'
import { addFormats } from './jsonapi/formats.ts'
import type { Log } from './log.ts'
import type { Mailer } from './mail.ts'
import { createMetrics } from './metrics.ts'
import { createRegistry, type Registry, resources as allResources } from './resources/registry.ts'
import type { Database, Resource, Tx } from './resources/resource.ts'
import type { Service } from './service.ts'
import { announce, createSignals } from './signals.ts'
import { isRetryable, translateConflict } from './store/conflicts.ts'
import { openStore } from './store/database.ts'
import { migrateResources } from './store/migrate.ts'
import { createUploaders } from './uploads.ts'

/** The compiled API: resources and operations. Costs a second to make, so tests share one between services. */
export interface Api {
  readonly resources: readonly Resource[]
  readonly registry: Registry
  readonly operations: readonly Operation[]
}

/**
 * Compiles the API of a list of resources.
 *
 * @param options - `softDelete`: `false` turns the trash off for the whole API, a list for the types named in it:
 *   deletion is then for good and the trash parameters are unknown. What is in the trash already stays hidden.
 * @throws TypeError when the resources do not fit together, or a type in the list is not one of them.
 */
export function createApi(
  resources: readonly Resource[] = allResources,
  options: { readonly softDelete?: boolean | { readonly off: readonly string[] } } = {},
): Api {
  const { softDelete = true } = options
  const off = new Set(typeof softDelete === 'object' ? softDelete.off : [])
  for (const type of off) {
    if (!resources.some((resource) => resource.type === type)) {
      throw new TypeError(`Expected resource types to turn the trash off for, got \`${type}\``)
    }
  }
  const effective = resources.map((resource) =>
    softDelete === false || off.has(resource.type) ? { ...resource, softDelete: false } : resource,
  )
  const registry = createRegistry(effective)
  const ajv = addFormats(new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }))
  const operations = [
    ...serviceOperations(),
    ...accountOperations(),
    ...effective.flatMap((resource) => [
      ...resourceOperations(resource, registry, ajv),
      ...relationshipOperations(resource, registry, ajv),
    ]),
    ...uploadOperations(registry, ajv),
    ...exportOperations(registry),
  ]
  return { resources, registry, operations }
}

/** Options of {@link createService}. */
export interface ServiceOptions {
  readonly api: Api
  readonly databaseUrl: string
  /** Connections of the pool. */
  readonly poolSize: number
  readonly driver: Driver
  readonly files: FileStore
  readonly mailer: Mailer
  readonly log: Log
  /** At least 32 characters; signs and encrypts what native-auth keeps. */
  readonly secret: string
  readonly origins: readonly string[]
  readonly insecureCookies: boolean
  readonly limits: { readonly loginsPerMinute: number; readonly signUpsPerHour: number }
  readonly maxUploadBytes: number
  readonly retentionDays: number
  readonly trustProxy: boolean
  /** Measures the process, too; once a process. */
  readonly processMetrics: boolean
}

/** A service with its database, before anything listens. Disposing closes what it opened. */
export interface RunningService extends Service, AsyncDisposable {
  readonly fetch: Fetch
  /** Brings all tables up to date: accounts, resources, jobs. */
  migrate(): Promise<void>
  /** From now on `/ready` says no, so that a balancer sends no more. */
  drain(): void
}

/** Puts the parts together. */
export function createService(options: ServiceOptions): RunningService {
  const { api, log } = options
  const onError = (error: unknown) => log.error('background error', { error })
  const store = openStore(options.databaseUrl, api.resources, {
    max: options.poolSize,
    retentionDays: options.retentionDays,
    onError,
  })
  const { db } = store
  const accounts = createAccounts({ ...options, db, onError })
  const tasks = createTasks<Record<never, never>, Record<never, never>, Database, Tx>({
    driver: options.driver,
    database: kyselyDatabase(db),
    secret: options.secret,
    logger: (ids) => ({
      info: (details, message = '') => log.info(message, { ...ids, ...details }),
      warn: (details, message = '') => log.warn(message, { ...ids, ...details }),
      error: (details, message = '') => log.error(message, { ...ids, ...details }),
    }),
    onError,
  })
  const signals = createSignals()
  let draining = false

  const service: RunningService = {
    db,
    registry: api.registry,
    softDeletion: store.softDeletion,
    accounts,
    tasks,
    signals,
    uploaders: createUploaders(options.files, options.maxUploadBytes),
    maxUploadBytes: options.maxUploadBytes,
    mailer: options.mailer,
    metrics: createMetrics({ process: options.processMetrics }),
    operations: api.operations,
    draining: () => draining,
    drain() {
      draining = true
    },
    async write(resource, work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await tasks.transaction(work)
        } catch (error) {
          if (attempt < 3 && isRetryable(error)) continue
          throw translateConflict(error, resource)
        }
      }
    },
    changed: (resource, row, change) => announce(signals, resource, row, change),
    async migrate() {
      await accounts.migrate()
      await migrateResources(db, api.resources)
      await tasks.migrate()
      // A web process enqueues before any worker has been there to make the queue's own tables.
      await tasks.queue('default')?.waitUntilReady()
    },
    fetch: (request, facts) => app(request, facts),
    async [Symbol.asyncDispose]() {
      await tasks[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
  const app = createApp(service, api.operations, options)
  connectJobs(service)
  return service
}
