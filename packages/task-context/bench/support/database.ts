import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startEmbeddedPostgres } from '@org/container-pg/embedded'
import pg from 'pg'

/** Runs `use` on an empty database: of the server in `DATABASE_URL`, or of an embedded one. */
export async function withDatabase<T>(use: (url: string) => Promise<T>): Promise<T> {
  const given = process.env['DATABASE_URL']
  if (given !== undefined) return onServer(given, use)
  const dataDir = mkdtempSync(path.join(tmpdir(), 'task-context-'))
  try {
    await using server = await startEmbeddedPostgres({ dataDir })
    return await onServer(server.url, use)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function onServer<T>(server: string, use: (url: string) => Promise<T>): Promise<T> {
  const name = `bench_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await execute(server, `create database ${name}`)
  try {
    return await use(Object.assign(new URL(server), { pathname: `/${name}` }).href)
  } finally {
    await execute(server, `drop database ${name} with (force)`)
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}
