// oxlint-disable vitest/no-standalone-expect -- the rule does not see that this `test` is an extended one
import { expect, inject, test as base } from 'vitest'

import { withDatabase } from '../../src/testing/index.ts'
import { query } from '../embedded/fixtures.ts'

const seen = new Set<string>()
const test = withDatabase(base, () => ({
  url: inject('postgresUrl'),
  migrate: async (url: string) => {
    await query(url, 'CREATE TABLE note (text text)')
  },
}))

test.for([1, 2])('gives test %i an empty database of its own', async (_, { database }) => {
  expect(await query(database.url, 'TABLE note')).toEqual([])
  await query(database.url, `INSERT INTO note VALUES ('written')`)
  expect(seen.has(database.name)).toBe(false)
  seen.add(database.name)
})

test('dropped the databases of the tests before', async () => {
  expect(seen.size).toBe(2)
  await expect
    .poll(() => query(inject('postgresUrl'), `SELECT 1 FROM pg_database WHERE datname IN ('${[...seen].join("','")}')`))
    .toEqual([])
})
