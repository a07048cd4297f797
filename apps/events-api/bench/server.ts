import { mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startEmbeddedPostgres } from '@org/container-pg/embedded'
import { MemoryStore } from '@org/content-sniff'
import { postgresDriver } from '@org/task-context'

import { type Api, createService, type RunningService } from '../src/create-service.ts'
import { silentLog } from '../src/log.ts'

/** A Postgres of the bench's own: `DATABASE_URL`, or an embedded one in memory that does not wait for disks. */
export async function openPostgres(): Promise<{ readonly url: string } & AsyncDisposable> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined) return { url: given, [Symbol.asyncDispose]: () => Promise.resolve() }
  const dataDir = await mkdtemp(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bench-'))
  const server = await startEmbeddedPostgres({ dataDir, durable: false })
  return {
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A service without worker, log and mail. */
export function openService(api: Api, databaseUrl: string): RunningService {
  return createService({
    api,
    databaseUrl,
    poolSize: 8,
    driver: postgresDriver({ connection: databaseUrl }),
    files: new MemoryStore(),
    mailer: { send: () => Promise.resolve(), [Symbol.dispose]() {} },
    log: silentLog,
    secret: 'a secret of the bench, long enough to be taken',
    origins: [],
    insecureCookies: true,
    limits: { loginsPerMinute: 0, signUpsPerHour: 0 },
    maxUploadBytes: 1024 * 1024,
    retentionDays: 30,
    trustProxy: false,
    processMetrics: false,
  })
}

/** Value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
