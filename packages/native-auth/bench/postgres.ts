import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startEmbeddedPostgres } from '@org/container-pg/embedded'

/** The server of `DATABASE_URL`, else one that is started for the measurement: with fsync, as services run it. */
export async function openPostgres(): Promise<AsyncDisposable & { readonly url: string }> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined) return { url: given, [Symbol.asyncDispose]: () => Promise.resolve() }
  const dataDir = mkdtempSync(path.join(tmpdir(), 'native-auth-postgres-'))
  const server = await startEmbeddedPostgres({ dataDir })
  return {
    url: server.url,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
