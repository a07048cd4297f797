import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
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
  const dataDir = mkdtempSync(path.join(scratchFolder(), 'postgres-'))
  const server = await startEmbeddedPostgres({ dataDir, durable: false })
  project.provide('postgresUrl', server.url)
  return async () => {
    await server[Symbol.asyncDispose]()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** Room that a server and the databases of a run need, in bytes. */
const ROOM_BYTES = 2 * 1024 ** 3

/** Memory where there is plenty: a fresh database is 600 small files, and making them on a disk takes seven times as long. */
function scratchFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize >= ROOM_BYTES ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}
