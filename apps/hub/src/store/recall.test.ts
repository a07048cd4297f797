import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import BetterSqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { type OpenDatabase, openSqlite } from './open.ts'
import { Recall } from './recall.ts'

describe('what was read from a database', () => {
  let dir: string
  let open: OpenDatabase
  let reads: number
  let recall: Recall<number>

  const count = () => {
    reads += 1
    return sql<{ n: number }>`select count(*) as n from things`.execute(open.db).then(({ rows }) => rows[0]?.n)
  }
  const insert = () => sql`insert into things values (1)`.execute(open.db)

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'recall-'))
    open = openSqlite(path.join(dir, 'a.sqlite'))
    await sql`create table things (id integer)`.execute(open.db)
    reads = 0
    recall = new Recall(2)
  })
  afterEach(async () => {
    await open[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  })

  test('is kept while nothing changes', async () => {
    expect([await recall.get(open.mark(), 'a', count), await recall.get(open.mark(), 'a', count)]).toEqual([0, 0])
    expect(reads).toBe(1)
  })

  test('is read again after a change of our own', async () => {
    await recall.get(open.mark(), 'a', count)
    await insert()
    expect(await recall.get(open.mark(), 'a', count)).toBe(1)
  })

  test('is read again after the change of another program', async () => {
    await recall.get(open.mark(), 'a', count)
    const other = new BetterSqlite(path.join(dir, 'a.sqlite'))
    other.exec('insert into things values (1)')
    other.close()
    expect(await recall.get(open.mark(), 'a', count)).toBe(1)
  })

  test('is not kept when a change came while it was read', async () => {
    await recall.get(open.mark(), 'a', async () => {
      const value = await count()
      await insert()
      return value
    })
    expect(await recall.get(open.mark(), 'a', count)).toBe(1)
  })

  test('is read again after a transaction, and never from within one that failed', async () => {
    const failing = open.db.transaction().execute(async (tx) => {
      await sql`insert into things values (1)`.execute(tx)
      throw new Error('on purpose')
    })
    await Promise.all([expect(failing).rejects.toThrow('on purpose'), recall.get(open.mark(), 'a', count)])
    expect(await recall.get(open.mark(), 'a', count)).toBe(0)
  })

  test('makes room, the oldest first, and keeps nothing that was not found', async () => {
    for (const key of ['a', 'b', 'c']) await recall.get(open.mark(), key, count)
    await recall.get(open.mark(), 'c', count)
    expect(reads).toBe(3)
    await recall.get(open.mark(), 'a', count)
    expect(reads).toBe(4)
    const nothing = () => {
      reads += 1
      return Promise.resolve(undefined)
    }
    await recall.get(open.mark(), 'n', nothing)
    await recall.get(open.mark(), 'n', nothing)
    expect(reads).toBe(6)
  })

  test('is always read where changes cannot be seen', async () => {
    const blind = new Recall<number>(2)
    await blind.get(undefined, 'a', count)
    await blind.get(undefined, 'a', count)
    expect(reads).toBe(2)
  })
})
