import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startEmbeddedPostgres } from '@org/container-pg/embedded'
import { ensurePostgresImage, hasService } from '@org/services'
import { Client } from 'pg'

/** What the READMEs' first programs read from their environment, new for each run. */
export interface Surroundings extends AsyncDisposable {
  fresh(): Promise<NodeJS.ProcessEnv>
}

/** Starts what the programs need: a Postgres for jobs, and, where there is an engine, an image and a storage root. */
export async function startSurroundings(): Promise<Surroundings> {
  await using stack = new AsyncDisposableStack()
  const dir = mkdtempSync(path.join(tmpdir(), 'rehearsal-'))
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const postgres = stack.use(await startEmbeddedPostgres({ dataDir: path.join(dir, 'postgres'), durable: false }))
  const image = (await hasService('docker')) ? await ensurePostgresImage() : undefined
  let runs = 0
  const held = stack.move()
  return {
    async fresh() {
      const name = `rehearsal_${(runs += 1)}`
      const client = new Client(postgres.url)
      await client.connect()
      await client.query(`CREATE DATABASE ${name}`)
      await client.end()
      const url = new URL(postgres.url)
      url.pathname = `/${name}`
      return {
        DATABASE_URL: url.href,
        AUTH_SECRET: randomBytes(32).toString('hex'),
        DATABASE: path.join(dir, `${name}.sqlite`),
        CONTAINER_PG_ROOT: mkdtempSync(path.join(dir, 'storage-')),
        ...(image !== undefined && { CONTAINER_PG_IMAGE: image }),
      }
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}
