import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { expect, inject, test, vi } from 'vitest'

import { databasePool } from '../../src/testing/index.ts'
import { lockNumber } from '../../src/testing/names.ts'
import { query } from '../embedded/fixtures.ts'

vi.setConfig({ testTimeout: 60_000 })

const url = inject('postgresUrl')
const migrate = async (address: string) => {
  await query(address, 'CREATE TABLE item (id int PRIMARY KEY)')
}
const seed = async (address: string) => {
  await query(address, 'INSERT INTO item VALUES (1), (2)')
}
const databases = async (pattern: string) =>
  (await query<{ datname: string }>(url, `SELECT datname FROM pg_database WHERE datname ~ '${pattern}'`)).map(
    (row) => row.datname,
  )

test('hands out isolated databases in the migrated and seeded state', async () => {
  await using pool = await databasePool({ url, migrate, seed })
  await using one = await pool.acquire()
  await using two = await pool.acquire()
  await query(one.url, 'DELETE FROM item')
  expect(await query(one.url, 'TABLE item')).toEqual([])
  expect(await query(two.url, 'TABLE item')).toEqual([{ id: 1 }, { id: 2 }])
})

test('drops what it made, whether it was given back or not, even under an open connection', async () => {
  const pool = await databasePool({ url, migrate })
  const kept = await pool.acquire()
  const given = await pool.acquire()
  await given[Symbol.asyncDispose]()
  const owner = /_c_([0-9a-f]{16})_/.exec(kept.name)?.[1] ?? ''
  expect(await databases(owner)).not.toEqual([])
  const busy = query(kept.url, 'SELECT pg_sleep(3600)').catch((error: Error) => error)
  await vi.waitFor(async () => {
    const rows = await query(url, `SELECT 1 FROM pg_stat_activity WHERE datname = '${kept.name}' AND state = 'active'`)
    expect(rows).toHaveLength(1)
  }, 30_000)
  await pool[Symbol.asyncDispose]()
  await pool[Symbol.asyncDispose]()
  expect(await busy).toBeInstanceOf(Error)
  expect(await databases(owner)).toEqual([])
  await expect(pool.acquire()).rejects.toThrow(TypeError)
})

test('tells takers that still wait when it is disposed, and leaves none of what they would have got', async () => {
  const pool = await databasePool({ url, migrate, warm: 0, concurrency: 1 })
  const { name } = await pool.acquire()
  const [ended, ...late] = await Promise.allSettled([
    Promise.resolve().then(() => pool[Symbol.asyncDispose]()),
    pool.acquire(),
    pool.acquire(),
  ])
  expect(ended.status).toBe('fulfilled')
  for (const taken of late) expect(taken).toMatchObject({ status: 'rejected', reason: expect.any(TypeError) })
  expect(await databases(/_c_([0-9a-f]{16})_/.exec(name)?.[1] ?? '')).toEqual([])
})

test('keeps up with many takers, each of whom finds the migrated state', async () => {
  await using pool = await databasePool({ url, migrate, seed })
  const names = new Set<string>()
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 6; round += 1) {
        await using database = await pool.acquire()
        names.add(database.name)
        expect(await query(database.url, 'TABLE item')).toEqual([{ id: 1 }, { id: 2 }])
        await query(database.url, 'DROP TABLE item')
      }
    }),
  )
  expect(names.size).toBe(24)
})

test('shares one template between pools of a version, made at the same moment', async () => {
  let runs = 0
  const version = `shared ${process.pid} ${Date.now()}`
  const options = {
    url,
    version,
    migrate: async (address: string) => {
      runs += 1
      await migrate(address)
    },
  }
  const pools = await Promise.all(Array.from({ length: 4 }, () => databasePool(options)))
  expect(runs).toBe(1)
  const taken = await Promise.all(pools.flatMap((pool) => [pool.acquire(), pool.acquire(), pool.acquire()]))
  expect(new Set(taken.map((database) => database.name)).size).toBe(12)
  await Promise.all(taken.map((database) => query(database.url, 'INSERT INTO item VALUES (7)')))
  await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()))

  await using later = await databasePool(options)
  await using _database = await later.acquire()
  expect(runs).toBe(1)
})

test('passes on a failing migration and leaves nothing', async () => {
  const before = await databases('^cpgtest_')
  const options = { url, version: `broken ${Date.now()}`, migrate: () => Promise.reject(new Error('syntax')) }
  await expect(databasePool(options)).rejects.toThrow('syntax')
  expect((await databases('^cpgtest_')).filter((name) => name.endsWith('_new') && !before.includes(name))).toEqual([])
})

test('a pool that was killed leaves nothing once the next one starts', async () => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'pool-holder.ts'), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const owner = await ownerOf(child)
  expect((await databases(owner)).length).toBeGreaterThan(1)
  child.kill('SIGKILL')
  await once(child, 'exit')
  // The server notices the closed connection in its own time.
  await vi.waitFor(async () => {
    await using _pool = await databasePool({ url, migrate })
    expect(await databases(owner)).toEqual([])
  }, 30_000)
})

test('a template whose maker was killed goes with the next pool, whatever that one makes', async () => {
  const version = `killed ${process.pid} ${Date.now()}`
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'pool-holder.ts'), url, version], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [draft] = (await once(createInterface(child.stdout), 'line')) as [string]
  {
    await using _other = await databasePool({ url, migrate })
    expect(await databases(`^${draft}$`)).toEqual([draft])
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  await vi.waitFor(async () => {
    await using _pool = await databasePool({ url, migrate })
    expect(await databases(`^${draft}$`)).toEqual([])
  }, 30_000)
})

test('a lost connection ends no process', async () => {
  const pool = await databasePool({ url, migrate })
  await using database = await pool.acquire()
  const owner = /_c_([0-9a-f]{16})_/.exec(database.name)?.[1] ?? ''
  const number = lockNumber(owner)
  const kill = `SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND (classid::bigint << 32) | objid::bigint = ${number}`
  expect(await query(url, kill)).toHaveLength(1)
  expect(await query(database.url, 'TABLE item')).toEqual([])
  await database[Symbol.asyncDispose]()
  await pool[Symbol.asyncDispose]()
  expect(await databases(owner)).toEqual([])
})

test('leaves the databases of a living pool alone', async () => {
  await using pool = await databasePool({ url, migrate })
  await using database = await pool.acquire()
  {
    await using _other = await databasePool({ url, migrate })
  }
  expect(await query(database.url, 'TABLE item')).toEqual([])
})

async function ownerOf(child: ChildProcess): Promise<string> {
  const [name] = (await once(createInterface(child.stdout ?? process.stdin), 'line')) as [string]
  return /_c_([0-9a-f]{16})_/.exec(name)?.[1] ?? ''
}
