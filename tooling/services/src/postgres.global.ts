import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { TestProject } from 'vitest/node'

import type {} from './provided.ts'

/** Gives a project's tests one Postgres server, as `inject('postgresUrl')`. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined) {
    project.provide('postgresUrl', given)
    return undefined
  }
  // By path: container-pg's own tests use this workspace, so a dependency on it would close a circle.
  const { startEmbeddedPostgres } = await import('../../../packages/container-pg/src/embedded/index.ts')
  const dataDir = mkdtempSync(path.join(tmpdir(), 'postgres-'))
  const server = await startEmbeddedPostgres({ dataDir, durable: false })
  project.provide('postgresUrl', server.url)
  return async () => {
    await server[Symbol.asyncDispose]()
    rmSync(dataDir, { recursive: true, force: true })
  }
}
