import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline/promises'

import { describe, expect, test } from 'vitest'

import { fromBase32, stepAt, totp } from '../src/second-factor/totp.ts'
import { ascending } from './support/ascending.ts'
import { databases, type TestDatabase } from './support/databases.ts'
import { ANN, openSite, SECRET, type TestSite } from './support/site.ts'

interface Sent {
  readonly path: string
  readonly body: unknown
  readonly cookie?: string
}

/** Sends the requests in this many processes at the same moment; each answers with its statuses. */
async function race(database: TestDatabase, site: TestSite, shares: readonly (readonly Sent[])[]): Promise<number[][]> {
  const file = path.join(import.meta.dirname, 'support/worker.ts')
  const children = shares.map(() =>
    spawn(
      process.execPath,
      ['--conditions=@org/source', '--no-warnings', file, database.url, SECRET, String(site.clock.at)],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    ),
  )
  const ended = children.map((child) => once(child, 'exit'))
  const readers = children.map(({ stdout }) => createInterface(stdout)[Symbol.asyncIterator]())
  await Promise.all(readers.map((reader) => reader.next()))
  children.forEach((child, index) => {
    const requests = (shares[index] ?? []).map((request) => ({ cookie: '', ...request }))
    child.stdin.write(`${JSON.stringify(requests)}\n`)
  })
  const answers = await Promise.all(
    readers.map(async (reader) => {
      const line = await reader.next()
      return JSON.parse(String(line.value)) as number[]
    }),
  )
  await Promise.all(ended)
  return answers
}

const twice = <Value>(value: Value): [Value, Value] => [value, value]

describe.each(databases)('two processes on one %s', (_, createDatabase) => {
  test('share one lockout: ten guesses in all are looked at, then the right one is refused (S6)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const guess = { path: '/hub/login', body: { username: 'ann', password: 'wrong' } }
    await race(database, site, twice(Array.from({ length: 12 }, () => guess)))
    const audit = await site.auth.audit.list({ limit: 100 })
    expect(audit.filter(({ action }) => action === 'login-failed')).toHaveLength(10)
    expect(await race(database, site, twice([{ path: '/hub/login', body: ANN }]))).toEqual([[401], [401]])
  })

  test('store one account for one name (1e)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const body = { username: 'bob', password: 'a long sentence 1' }
    const statuses = await race(database, site, twice(twice({ path: '/hub/users/register', body })))
    expect(ascending(statuses.flat())).toEqual([201, 409, 409, 409])
    expect((await site.auth.accounts.list({ search: 'bob' })).total).toBe(1)
  })

  test('spend a code, a recovery code and a link once (S21, S23, S24)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { session } = await site.auth.authenticate(ANN)
    const enrolment = await site.auth.secondFactor.start(session, ANN.password)
    const code = () => totp(fromBase32(enrolment.secret), stepAt(site.clock.at))
    const { recoveryCodes } = await site.auth.secondFactor.confirm(enrolment.setup, code())
    site.clock.pass(60)
    const challenge = async () => {
      const error = await site.auth.authenticate(ANN).catch((caught: { challenge: string }) => caught)
      return 'challenge' in error ? error.challenge : ''
    }
    for (const given of [code(), recoveryCodes[0]]) {
      const shares = await Promise.all(
        [1, 2].map(async () => [{ path: '/hub/login/code', body: { challenge: await challenge(), code: given } }]),
      )
      expect(ascending((await race(database, site, shares)).flat())).toEqual([200, 401])
    }
    const { token } = await site.auth.links.createReset('ann')
    const reset = { path: '/hub/reset', body: { token, new_password: 'a fresh sentence' } }
    expect(ascending((await race(database, site, twice([reset]))).flat())).toEqual([204, 410])
  })

  test('cannot take away the last two administrators at once (S27)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    await site.auth.accounts.setAdmin('ann', true)
    const shares = await Promise.all(
      ['root', 'ann'].map(async (name) => {
        const { token } = await site.auth.sessions.create(name)
        const cookie = `__Host-native-auth-session=${token}`
        return [{ path: `/hub/users/${name}/withdraw-admin`, body: {}, cookie }]
      }),
    )
    expect(ascending((await race(database, site, shares)).flat())).toEqual([200, 409])
    expect((await site.auth.accounts.list({ state: 'admin' })).total).toBe(1)
  })
})
