import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { createNativeAuth } from '../src/index.ts'
import { nodeRsHasher } from '../src/node-rs.ts'
import { fromBase32, stepAt, totp } from '../src/second-factor/totp.ts'
import { databases } from './support/databases.ts'
import { ADMIN, ANN, openSite, SECRET, TestSite } from './support/site.ts'

const BOB = { username: 'bob', password: 'a bobby sentence', email: 'bob@example.org' }
const ORIGINS = ['https://hub.example.org']

describe.each(databases)('at the edges on %s', (_, createDatabase) => {
  test('one hash that fails does not end all logins until the next start', async () => {
    await using database = await createDatabase()
    const hasher = nodeRsHasher()
    let fails = false
    const hash = (password: string) => (fails ? Promise.reject(new Error('out of memory')) : hasher.hash(password))
    const options = { passwords: { hasher: { ...hasher, hash } } }
    await openSite(database, options)
    const site = new TestSite(database, options)
    fails = true
    expect((await site.browser().json('POST', '/hub/login', ANN)).status).toBe(500)
    fails = false
    await site.loggedIn(ANN)
  })

  test('a profile schema that takes everything gets no password and no token', async () => {
    await using database = await createDatabase()
    const auth = createNativeAuth({
      db: database.db,
      secret: SECRET,
      basePath: '/hub',
      passwords: { hasher: nodeRsHasher() },
      profile: {
        '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Record<string, unknown> }) },
      },
    })
    await auth.migrate()
    const body = {
      ...BOB,
      admin_token: 'sixteen characters',
      captcha: 'solved',
      password_confirmation: BOB.password,
      accept_terms: true,
      team: 'blue',
    }
    const request = new Request('https://hub.example.org/hub/users/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const response = await auth.handler(request)
    expect([response.status, await response.json()]).toEqual([
      201,
      { id: expect.any(Number), username: 'bob', email: BOB.email, team: 'blue' },
    ])
    const dump = await database.dump()
    for (const secret of [BOB.password, body.admin_token, body.captcha]) expect(dump).not.toContain(secret)
  })

  test('a new password that is refused costs no recovery code', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { session } = await site.auth.authenticate(ANN)
    const { setup, secret } = await site.auth.secondFactor.start(session, ANN.password)
    const app = totp(fromBase32(secret), stepAt(site.clock.at))
    const { recoveryCodes } = await site.auth.secondFactor.confirm(setup, app)
    const [code = ''] = recoveryCodes
    const change = (next: string, confirmation = next) =>
      site.auth.passwords.change(session, { current: ANN.password, next, confirmation, code })
    const refused = { code: 'NATIVE_AUTH_INVALID_INPUT' }
    await expect(change('short')).rejects.toMatchObject(refused)
    await expect(change('a new long sentence', 'a new long sentense')).rejects.toMatchObject(refused)
    await change('a new long sentence')
  })

  test('of two renewals at once one set of recovery codes is left', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { session } = await site.auth.authenticate(ANN)
    const { setup, secret } = await site.auth.secondFactor.start(session, ANN.password)
    const app = totp(fromBase32(secret), stepAt(site.clock.at))
    const { recoveryCodes } = await site.auth.secondFactor.confirm(setup, app)
    const renewals = recoveryCodes
      .slice(0, 3)
      .map((code) => site.auth.secondFactor.renewCodes(session, { password: ANN.password, code }))
    const left = (await Promise.allSettled(renewals)).filter(({ status }) => status === 'fulfilled')
    const { rows } = await sql`select 1 from native_auth_recovery_codes`.execute(database.db)
    expect([left.length > 0, rows.length]).toEqual([true, 10])
  })

  test('names of sessions that nobody has are answered alike, whatever is in them', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    for (const id of ['%00', 'x', '%F0%9F%98%80', 'A'.repeat(16)]) {
      expect([id, (await ann.json('DELETE', `/hub/sessions/${id}`)).status]).toEqual([id, 204])
    }
    expect(site.errors).toEqual([])
  })

  test('a block lasts any part of a day, and none is over before it begins', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const root = await site.loggedIn(ADMIN)
    const block = (days: string) => root.form('/hub/authorize/ann', { action: 'block', reason: '', days })
    expect((await block('0.33333333')).status).toBe(303)
    expect((await site.auth.accounts.get('ann'))?.blockedUntil).toBe(site.clock.at + 28_800_000)
    await site.auth.accounts.unblock('ann')
    const ann = await site.loggedIn(ANN)
    for (const until of [site.clock.at, site.clock.at - 1, Number.NaN, Infinity]) {
      await expect(site.auth.accounts.block('ann', { until })).rejects.toMatchObject({
        code: 'NATIVE_AUTH_INVALID_INPUT',
      })
    }
    const past = new Date(site.clock.at - 1000).toISOString()
    expect((await root.json('POST', '/hub/users/ann/block', { until: past })).status).toBe(422)
    expect((await ann.get('/hub/me')).status).toBe(200)
  })

  test('the right password of somebody blocked is a failure in the trail, like a wrong one', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    await site.auth.accounts.block('ann')
    const id = (await site.auth.accounts.get('ann'))?.id ?? 0
    const failures = async () => {
      const entries = await site.auth.audit.list({ accountId: id })
      return entries.filter(({ action }) => action === 'login-failed').length
    }
    for (const [index, password] of [ANN.password, 'a wrong sentence'].entries()) {
      expect((await site.browser().json('POST', '/hub/login', { ...ANN, password })).status).toBe(401)
      expect(await failures()).toBe(index + 1)
    }
  })

  test('a sign-up whose mail fails is undone for the trail and the hooks too', async () => {
    await using database = await createDatabase()
    const told: string[] = []
    const site = await openSite(database, {
      signUp: { selfApproval: /.+@example\.org/ },
      origins: ORIGINS,
      mail: () => Promise.reject(new Error('no route to the mail server')),
      hooks: {
        signedUp: ({ account }) => void told.push(`signed up ${account.username}`),
        removed: ({ account }) => void told.push(`removed ${account.username}`),
      },
    })
    told.length = 0
    expect((await site.browser().json('POST', '/hub/users/register', BOB)).status).toBe(503)
    expect(told).toEqual(['signed up bob', 'removed bob'])
    expect((await site.auth.audit.list()).map(({ action }) => action)[0]).toBe('removed')
    expect(site.errors.map(String)).toEqual(['Error: no route to the mail server'])
  })

  test('a breach check that fails lets pass, and is told of', async () => {
    await using database = await createDatabase()
    const breachCheck = () => Promise.reject(new Error('no route to the list'))
    const site = new TestSite(database, { passwords: { breachCheck } })
    await site.auth.migrate()
    await site.auth.accounts.create(ANN)
    expect(site.errors.map(String)).toEqual(['Error: no route to the list'])
  })

  test('durations need not be whole milliseconds; counts are whole', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, {
      lockout: { seconds: 3600 / 7, maxSeconds: 86_400 / 7, failures: 2 },
      sessions: { idleSeconds: 604_800 / 11, absoluteSeconds: 2_592_000 / 11 },
    })
    const ann = await site.loggedIn(ANN)
    expect((await ann.json('GET', '/hub/sessions')).status).toBe(200)
    for (let round = 0; round < 3; round += 1) {
      expect((await ann.json('POST', '/hub/login', { ...ANN, password: 'x' })).status).toBe(401)
    }
    await site.auth.prune()
    expect((await ann.get('/hub/me')).status).toBe(200)
    for (const options of [
      { lockout: { failures: 2.5 } },
      { lockout: { ceiling: 99.5 } },
      { clientLimits: { loginsPerMinute: 0.5 } },
      { clientLimits: { signUpsPerHour: 0.5 } },
      { clientLimits: { resetsPerHour: -1 } },
      { sessions: { maxPerAccount: 1.5 } },
      { passwords: { inFlight: 1.5 } },
    ]) {
      expect(() => new TestSite(database, options)).toThrow(RangeError)
    }
  })

  test('mail without an origin to link to is refused at once', async () => {
    await using database = await createDatabase()
    expect(() => new TestSite(database, { mail: () => Promise.resolve() })).toThrow(/`origins`/)
  })

  test('nothing that is done for a known name alone holds up the answer to a lost password', async () => {
    await using database = await createDatabase()
    const held = Promise.withResolvers<void>()
    const writes = new WeakSet<object>()
    const plugin = {
      transformQuery: <Node extends { kind: string }>({ node, queryId }: { node: Node; queryId: object }) => {
        if (holds && node.kind !== 'SelectQueryNode') writes.add(queryId)
        return node
      },
      async transformResult<Result>({ result, queryId }: { result: Result; queryId: object }) {
        if (writes.has(queryId)) await held.promise
        return result
      },
    }
    let holds = false
    const db = database.db.withPlugin(plugin as never)
    const arrived = Promise.withResolvers<void>()
    const site = await openSite(Object.assign(Object.create(database) as typeof database, { db }), {
      origins: ORIGINS,
      mail: async () => arrived.resolve(),
    })
    await site.auth.accounts.create(BOB)
    holds = true
    expect((await site.browser().json('POST', '/hub/forgot-password', { username: 'bob' })).status).toBe(202)
    held.resolve()
    await arrived.promise
  })

  test('a confirmation that fails half way can be tried again', async () => {
    await using database = await createDatabase()
    let fails = false
    const letters: string[] = []
    const plugin = {
      transformQuery: <Node>({ node }: { node: Node & { kind: string } }) => {
        if (fails && node.kind === 'UpdateQueryNode') throw new Error('the database is away')
        return node
      },
      transformResult: <Result>({ result }: { result: Result }) => Promise.resolve(result),
    }
    const db = database.db.withPlugin(plugin as never)
    const site = await openSite(Object.assign(Object.create(database) as typeof database, { db }), {
      signUp: { selfApproval: /.+@example\.org/ },
      origins: ORIGINS,
      mail: ({ text }) => void letters.push(text) as never,
    })
    await site.browser().json('POST', '/hub/users/register', BOB)
    const path = /https:\/\/[^/]+(\S+)/.exec(letters[0] ?? '')?.[1] ?? ''
    fails = true
    expect((await site.browser().form(path, {})).status).toBe(500)
    fails = false
    expect((await site.browser().form(path, {})).status).toBe(200)
    expect((await site.auth.accounts.get('bob'))?.isAuthorised).toBe(true)
  })
})
