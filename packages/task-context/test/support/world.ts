import { randomUUID } from 'node:crypto'

import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import { inject, vi } from 'vitest'

import type {} from '@org/services'

import { type Driver, postgresDriver, redisDriver, type StandardSchema } from '../../src/index.ts'
import { memoryDriver } from '../../src/memory.ts'
import { connect, type Schema } from './connect.ts'

// Servers, child processes and a machine that is busy with other suites.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** A database and a key prefix of one test file's own. */
export interface World extends AsyncDisposable {
  readonly db: Kysely<Schema>
  readonly url: string
  readonly prefix: string
}

/** Creates a database with an `accounts` table. */
export async function openWorld(): Promise<World> {
  const admin = inject('postgresUrl')
  const name = `tc_${randomUUID().replaceAll('-', '').slice(0, 16)}`
  await execute(admin, `create database ${name}`)
  const url = Object.assign(new URL(admin), { pathname: `/${name}` }).href
  const db = connect(url)
  await sql`create table accounts (id text primary key, balance int not null default 0, backend int)`.execute(db)
  return {
    db,
    url,
    prefix: name,
    async [Symbol.asyncDispose]() {
      await db.destroy()
      await execute(admin, `drop database if exists ${name} with (force)`)
    },
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}

/** Drivers under test; `redis` needs a server, which `describeWith('redis')` sees to. */
export type DriverName = 'memory' | 'postgres' | 'redis'

/** Makes a driver with short intervals, so that tests need not wait. */
export function makeDriver(name: DriverName, world: World, redisUrl = inject('redisUrl')): Driver {
  switch (name) {
    case 'memory':
      return memoryDriver()
    case 'postgres':
      return postgresDriver({ connection: { connectionString: world.url, max: 5 } })
    case 'redis':
      return redisDriver({ connection: redisUrl ?? '', prefix: world.prefix })
  }
}

/** Resolves once `check` returns something; tests wait for facts, not for time. */
export async function eventually<T>(check: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await check()
    if (found !== undefined && found !== false) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A schema of a few texts; small enough to show that no library is needed. */
export function text<const Allowed extends string>(allowed: readonly Allowed[]): StandardSchema<Allowed, Allowed> {
  return {
    '~standard': {
      version: 1,
      vendor: 'tests',
      validate: (value) =>
        allowed.includes(value as Allowed)
          ? { value: value as Allowed }
          : { issues: [{ message: `expected one of ${allowed.join(', ')}` }] },
    },
  }
}
