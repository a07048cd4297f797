import { sql } from 'kysely'
import bcrypt from 'bcrypt'
import { describe, expect, test } from 'vitest'

import { argon2Hasher } from '../src/index.ts'
import { nodeRsHasher } from '../src/node-rs.ts'
import { type TestDatabase, databases } from './support/databases.ts'
import { ADMIN, ANN, openSite, TestSite } from './support/site.ts'

async function storedHash(database: TestDatabase, username: string): Promise<string> {
  const { rows } = await sql<{
    password_hash: string
  }>`select password_hash from native_auth_accounts where username = ${username}`.execute(database.db)
  return rows[0]?.password_hash ?? ''
}

const setHash = (database: TestDatabase, username: string, hash: string) =>
  sql`update native_auth_accounts set password_hash = ${hash} where username = ${username}`.execute(database.db)

describe.each(databases)('passwords on %s', (_, createDatabase) => {
  test('are stored as argon2id strings at the floor, each with a salt of its own (S1)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { signUp: { open: true } })
    await site.auth.signUp({ username: 'bob', password: ANN.password })
    const [ann, bob] = [await storedHash(database, 'ann'), await storedHash(database, 'bob')]
    for (const hash of [ann, bob]) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,(?:t=2,p=1|p=1,t=2)\$/)
    expect(ann).not.toBe(bob)
    expect(await database.dump()).not.toContain(ANN.password)
  })

  test('count code points, up to 128, and keep their spaces and case (S17)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { signUp: { open: true } })
    const register = (username: string, password: string) =>
      site.browser().json('POST', '/hub/users/register', { username, password })
    const emoji = '🦦🐙'.repeat(64)
    expect((await register('bob', emoji)).status).toBe(201)
    expect((await register('eve', `${emoji}x`)).status).toBe(422)
    expect((await register('spacy', ' two spaces and more ')).status).toBe(201)
    const login = async (username: string, password: string) =>
      (await site.browser().json('POST', '/hub/login', { username, password })).status
    expect(await login('bob', emoji)).toBe(200)
    expect(await login('spacy', ' two spaces and more ')).toBe(200)
    expect(await login('spacy', 'two spaces and more')).toBe(401)
    expect(await login('spacy', ' Two spaces and more ')).toBe(401)
    expect(await login('bob', `${emoji}x`)).toBe(401)
    // Bcrypt would cut both at 72 bytes and take one for the other.
    const long = 'a long and winding sentence '.repeat(3)
    expect((await register('long', `${long}one`)).status).toBe(201)
    expect(await login('long', `${long}two`)).toBe(401)
  })

  test('typed composed or decomposed are one password', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { signUp: { open: true } })
    await site.auth.signUp({ username: 'rene', password: 'caf\u00e9 au lait 12' })
    await expect(site.auth.authenticate({ username: 'rene', password: 'cafe\u0301 au lait 12' })).resolves.toBeDefined()
  })

  test.each([
    ['compat', 1],
    ['default', 8],
    ['strict', 15],
  ] as const)('of preset %s have at least %d characters on every way in (S18)', async (preset, least) => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const strict = new TestSite(database, { passwords: { preset }, signUp: { open: true } })
    const short = 'q7$zLm!4xR&9kPw2'.slice(0, least - 1)
    const right = 'q7$zLm!4xR&9kPw2'.slice(0, least)
    const codes: Record<string, string | undefined> = {}
    const note = async (way: string, work: Promise<unknown>) => {
      codes[way] = await work.then(
        () => undefined,
        (error: { issues?: { type: string }[] }) => error.issues?.[0]?.type,
      )
    }
    const { session } = await site.auth.authenticate(ANN)
    await note('register', strict.auth.signUp({ username: 'bob', password: short }))
    await note('change', strict.auth.passwords.change(session, { current: ANN.password, next: short }))
    await note('admin', strict.auth.passwords.set('ann', short))
    await note('create', strict.auth.accounts.create({ username: 'carl', password: short }))
    const { token } = await strict.auth.links.createReset('ann')
    await note('reset', strict.auth.links.reset(token, short))
    expect(new Set(Object.values(codes))).toEqual(new Set(['too_short']))
    await strict.auth.passwords.set('ann', right)
    await expect(strict.auth.authenticate({ username: 'ann', password: right })).resolves.toBeDefined()
  })

  test('that everybody tries, or that repeat the name, are refused with the reason (S19)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { serviceName: 'Otter Lab', signUp: { open: true, askEmail: true } })
    const reasonFor = async (password: string) => {
      const body = { username: 'margaret', password, email: 'river.stone@example.org' }
      const response = await site.browser().json('POST', '/hub/users/register', body)
      const { detail } = (await response.json()) as { detail: { type: string; input?: unknown }[] }
      expect(detail[0]).not.toHaveProperty('input')
      return [response.status, detail[0]?.type]
    }
    expect(await reasonFor('Password1234')).toEqual([422, 'password_common'])
    expect(await reasonFor('iloveyou')).toEqual([422, 'password_common'])
    expect(await reasonFor('Margaret')).toEqual([422, 'password_similar'])
    expect(await reasonFor('teragram1')).toEqual([422, 'password_similar'])
    expect(await reasonFor('River-Stone')).toEqual([422, 'password_similar'])
    expect(await reasonFor('otterlab')).toEqual([422, 'password_similar'])
  })

  test.each([
    ['a bcrypt hash', () => bcrypt.hash(ANN.password, 4)],
    ['a weaker argon2id hash', () => argon2Hasher().hash(ANN.password)],
  ])('with %s are hashed again at the next login (S20)', async (_name, make) => {
    await using database = await createDatabase()
    const site = await openSite(database, {
      passwords: { hasher: nodeRsHasher({ memoryKib: 19_456, passes: 3, parallelism: 1 }) },
    })
    await setHash(database, 'ann', await make())
    await site.auth.authenticate(ANN)
    expect(await storedHash(database, 'ann')).toMatch(/^\$argon2id\$v=19\$.*t=3/)
    await expect(site.auth.authenticate(ANN)).resolves.toBeDefined()
  })

  test('changed while an old hash is upgraded keep the change (S20)', async () => {
    await using database = await createDatabase()
    const weak = await nodeRsHasher().hash(ANN.password)
    const chosen = await nodeRsHasher().hash('somebody else was faster')
    const inner = nodeRsHasher({ memoryKib: 19_456, passes: 3, parallelism: 1 })
    const site = await openSite(database, {
      passwords: {
        hasher: {
          ...inner,
          async hash(password) {
            const hash = await inner.hash(password)
            // Exactly between the check of the old hash and the upgrade.
            if (password === ANN.password) await setHash(database, 'ann', chosen)
            return hash
          },
        },
      },
    })
    await setHash(database, 'ann', weak)
    await site.auth.authenticate(ANN)
    expect(await storedHash(database, 'ann')).toBe(chosen)
  })

  test('are accepted although the upgrade of their hash fails (S20)', async () => {
    await using database = await createDatabase()
    const inner = nodeRsHasher()
    let fails = false
    const site = await openSite(database, {
      passwords: {
        hasher: {
          ...inner,
          isOutdated: () => fails,
          hash: (password) => (fails ? Promise.reject(new Error('out of memory')) : inner.hash(password)),
        },
      },
    })
    await site.auth.authenticate(ANN)
    fails = true
    await expect(site.auth.authenticate(ANN)).resolves.toBeDefined()
    expect(site.errors).toHaveLength(1)
  })

  test('change only for who knows the old one, and wrong tries count (S28)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 3 } })
    const ann = await site.loggedIn(ANN)
    ann.cookies.delete('__Host-native-auth-device')
    const change = (old_password: string) =>
      ann.json('POST', '/hub/change-password', { old_password, new_password: 'a new long sentence' })
    for (let round = 0; round < 3; round += 1) {
      const response = await change('wrong one')
      expect([response.status, await response.json()]).toMatchObject([
        422,
        { detail: [{ loc: ['body', 'old_password'], type: 'password_wrong' }] },
      ])
    }
    expect((await change(ANN.password)).status).toBe(422)
    site.clock.pass(901)
    expect((await change(ANN.password)).status).toBe(200)
  })

  test('are asked for at a breach list, whose failure lets pass or not, as chosen', async () => {
    await using database = await createDatabase()
    const asked: string[] = []
    const breachCheck = (password: string) => {
      asked.push(password)
      return password.includes('fails')
        ? Promise.reject(new Error('down'))
        : Promise.resolve(password.includes('stolen'))
    }
    const open = await openSite(database, { passwords: { breachCheck } })
    const closed = new TestSite(database, { passwords: { breachCheck, breachCheckFailure: 'refuse' } })
    await expect(open.auth.passwords.set('ann', 'a stolen sentence')).rejects.toMatchObject({
      issues: [{ type: 'password_breached' }],
    })
    await open.auth.passwords.set('ann', 'the list fails now')
    await expect(closed.auth.passwords.set('ann', 'the list fails now')).rejects.toMatchObject({
      code: 'NATIVE_AUTH_BREACH_CHECK_FAILED',
    })
    expect(asked).not.toContain(ADMIN.username)
  })
})

test('hashing leaves the main thread free (S2)', async () => {
  for (const hasher of [argon2Hasher(), nodeRsHasher()]) {
    let turns = 0
    let done = false
    const hashing = Promise.all(Array.from({ length: 3 }, () => hasher.hash('x'))).then(() => (done = true))
    while (!done) {
      turns += 1
      await new Promise(setImmediate)
    }
    await hashing
    // A hash on the main thread would leave a handful of turns.
    expect(turns).toBeGreaterThan(50)
  }
})
