import { describe, expect, test } from 'vitest'

import { nodeRsHasher } from '../src/node-rs.ts'
import type { Browser } from './support/browser.ts'
import { databases, openUrl } from './support/databases.ts'
import { ADMIN, ANN, openSite, TestSite } from './support/site.ts'

const SESSION = '__Host-native-auth-session'

const whoAmI = async (browser: Browser) => (await browser.get('/hub/me')).status

describe.each(databases)('sessions on %s', (_, createDatabase) => {
  test('have tokens of 256 bits of which only a hash is stored, and the hash opens nothing (S9)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    const token = ann.cookies.get(SESSION) ?? ''
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    const dump = await database.dump()
    expect(dump).not.toContain(token)
    const [row] = JSON.parse(dump)[1] as { token_hash: string; id: string }[]
    for (const stolen of [row?.token_hash, row?.id]) {
      ann.cookies.set(SESSION, stolen ?? '')
      expect(await whoAmI(ann)).toBe(401)
    }
    const tokens = new Set<string>()
    for (let round = 0; round < 200; round += 1) tokens.add((await site.auth.sessions.create('ann')).token)
    expect(tokens.size).toBe(200)
  })

  test('work by bearer token too', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { token } = await site.auth.authenticate(ANN)
    const headers = { authorization: `Bearer ${token}` }
    expect((await site.browser().get('/hub/me', { headers })).status).toBe(200)
    const session = await site.auth.sessions.fromRequest(new Request('https://hub.example.org/', { headers }))
    expect(session?.account.username).toBe('ann')
    expect(await site.auth.sessions.fromRequest(new Request('https://hub.example.org/'))).toBeUndefined()
  })

  test('are at most as many an account as the option says: the one that was not used for longest gives way', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { sessions: { maxPerAccount: 3 } })
    const browsers: Browser[] = []
    const logIn = async () => {
      site.clock.pass(4000)
      const browser = await site.loggedIn(ANN)
      browsers.push(browser)
      return browser
    }
    const [first] = [await logIn(), await logIn(), await logIn()]
    // Its use is noted at most once an hour.
    expect(await whoAmI(first)).toBe(200)
    const root = await site.loggedIn(ADMIN)
    await logIn()
    expect(await Promise.all(browsers.map(whoAmI))).toEqual([200, 401, 200, 200])
    // All were used just now, so age decides.
    await site.auth.sessions.create('ann')
    expect(await Promise.all(browsers.map(whoAmI))).toEqual([401, 401, 200, 200])
    const ann = await site.auth.accounts.get('ann')
    expect(await site.auth.sessions.list(ann?.id ?? 0)).toHaveLength(3)
    // Each account has its own.
    expect(await whoAmI(root)).toBe(200)
  })

  test('are not counted with a cap of 0, and a refused login ends none', async () => {
    await using database = await createDatabase()
    const free = await openSite(database, { sessions: { maxPerAccount: 0 } })
    const ann = await free.loggedIn(ANN)
    for (let round = 0; round < 120; round += 1) await free.auth.sessions.create('ann')
    expect(await whoAmI(ann)).toBe(200)
    const capped = new TestSite(database, { sessions: { maxPerAccount: 1 } })
    expect((await capped.browser().json('POST', '/hub/login', { ...ANN, password: 'not it' })).status).toBe(401)
    expect(await whoAmI(ann)).toBe(200)
    // The default is a hundred.
    const usual = new TestSite(database)
    await usual.auth.sessions.create('ann')
    const { id } = (await usual.auth.accounts.get('ann'))!
    expect(await usual.auth.sessions.list(id)).toHaveLength(100)
  })

  test('are new at each login and password change; a planted cookie is never adopted (S10)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const victim = site.browser()
    const planted = 'A'.repeat(43)
    victim.cookies.set(SESSION, planted)
    expect((await victim.form('/hub/login', ANN)).status).toBe(303)
    const first = victim.cookies.get(SESSION) ?? ''
    expect(first).not.toBe(planted)
    const attacker = site.browser()
    attacker.cookies.set(SESSION, planted)
    expect(await whoAmI(attacker)).toBe(401)

    await victim.json('POST', '/hub/login', ANN)
    const second = victim.cookies.get(SESSION) ?? ''
    attacker.cookies.set(SESSION, first)
    expect([second === first, await whoAmI(attacker)]).toEqual([false, 401])

    const body = { old_password: ANN.password, new_password: 'a new long sentence' }
    expect((await victim.json('POST', '/hub/change-password', body)).status).toBe(200)
    attacker.cookies.set(SESSION, second)
    expect([await whoAmI(victim), await whoAmI(attacker)]).toEqual([200, 401])
  })

  test.each([
    ['block', (root: Browser) => root.json('POST', '/hub/users/ann/block', { reason: 'rent' })],
    ['unauthorise', (root: Browser) => root.json('POST', '/hub/users/ann/unauthorise')],
    ['sign-out', (root: Browser) => root.json('POST', '/hub/users/ann/sign-out')],
    ['admin rights', (root: Browser) => root.json('POST', '/hub/users/ann/grant-admin')],
    ['reset of the second factor', (root: Browser) => root.json('POST', '/hub/users/ann/reset-second-factor')],
    [
      'password set by an administrator',
      (root: Browser) =>
        root.form('/hub/change-password/ann', {
          new_password: 'chosen by an admin',
          new_password_confirmation: 'chosen by an admin',
        }),
    ],
  ])('end at once after %s (S11)', async (_name, act) => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const [root, ann, phone] = [await site.loggedIn(ADMIN), await site.loggedIn(ANN), await site.loggedIn(ANN)]
    expect(await whoAmI(phone)).toBe(200)
    expect((await act(root)).status).toBe(200)
    expect([await whoAmI(ann), await whoAmI(phone), await whoAmI(root)]).toEqual([401, 401, 200])
  })

  test('end at once when the account is removed, and the others by an own password change (S11)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const [ann, phone] = [await site.loggedIn(ANN), await site.loggedIn(ANN)]
    await ann.json('POST', '/hub/change-password', { old_password: ANN.password, new_password: 'a new sentence 1' })
    expect([await whoAmI(ann), await whoAmI(phone)]).toEqual([200, 401])
    await site.auth.accounts.remove('ann')
    expect(await whoAmI(ann)).toBe(401)
  })

  test('do not open for a password that was changed while it was checked (S11)', async () => {
    await using database = await createDatabase()
    const inner = nodeRsHasher()
    let meanwhile = (): Promise<void> => Promise.resolve()
    const site = await openSite(database, {
      passwords: {
        hasher: {
          ...inner,
          async verify(hash, password) {
            const matches = await inner.verify(hash, password)
            await meanwhile()
            return matches
          },
        },
      },
    })
    meanwhile = () => {
      site.clock.pass(1)
      return site.auth.passwords.set('ann', 'a fresh sentence')
    }
    const login = await site.browser().json('POST', '/hub/login', ANN)
    expect([login.status, login.headers.getSetCookie()]).toEqual([401, []])
    expect(JSON.parse(await database.dump())[1]).toEqual([])
  })

  test('end after a time without use, and after a time in any case (S12)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const day = 86_400
    const idle = await site.loggedIn(ANN)
    site.clock.pass(7 * day - 1)
    expect(await whoAmI(idle)).toBe(200)
    site.clock.pass(7 * day + 1)
    expect(await whoAmI(idle)).toBe(401)
    const busy = await site.loggedIn(ANN)
    const days: number[] = []
    for (let passed = 0; passed < 33 && (await whoAmI(busy)) === 200; passed += 3) {
      days.push(passed)
      site.clock.pass(3 * day)
    }
    expect(days.at(-1)).toBe(27)
    await site.auth.prune()
    expect(JSON.parse(await database.dump())[1]).toEqual([])
  })

  test('are listed and revoked one by one, and all at once', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const [ann, phone] = [await site.loggedIn(ANN, '192.0.2.1'), await site.loggedIn(ANN, '192.0.2.2')]
    const other = await site.loggedIn(ADMIN)
    const { sessions } = (await (await ann.get('/hub/sessions')).json()) as {
      sessions: { id: string; is_current: boolean; ip: string }[]
    }
    expect(sessions).toHaveLength(2)
    const phoneSession = sessions.find(({ is_current }) => !is_current)
    expect(phoneSession?.ip).toBe('192.0.2.2')
    await other.json('DELETE', `/hub/sessions/${phoneSession?.id}`)
    expect(await whoAmI(phone)).toBe(200)
    expect((await ann.json('DELETE', `/hub/sessions/${phoneSession?.id}`)).status).toBe(204)
    expect([await whoAmI(phone), await whoAmI(ann)]).toEqual([401, 200])
    expect((await ann.json('DELETE', '/hub/sessions')).status).toBe(204)
    expect(await whoAmI(ann)).toBe(401)
  })

  test('travel in a cookie that only this host and only https can set; logout takes it away alike (S13)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const browser = site.browser()
    const login = await browser.json('POST', '/hub/login', ANN)
    const attributes = (line: string) =>
      line
        .split('; ')
        .slice(1)
        .filter((part) => !part.startsWith('Max-Age'))
    const written = login.headers.getSetCookie().find((line) => line.startsWith(SESSION)) ?? ''
    expect(attributes(written)).toEqual(['Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure'])
    expect(written.length).toBeLessThan(4096)
    const logout = await browser.json('POST', '/hub/logout')
    const [removed = ''] = logout.headers.getSetCookie()
    expect(removed).toMatch(new RegExp(`^${SESSION}=; Max-Age=0;`))
    expect(attributes(removed)).toEqual(attributes(written))

    const plain = new TestSite(database, { allowInsecureCookies: true })
    const insecure = await plain.browser().json('POST', '/hub/login', ANN)
    expect(insecure.headers.getSetCookie().join()).toMatch(/^native-auth-session=(?!.*Secure)/)
  })
})

test('a check is one statement, and one more that writes at most once an hour (S12, P4)', async () => {
  const [[, createDatabase]] = databases
  await using database = await createDatabase()
  const statements: string[] = []
  await using db = openUrl(database.url, (statement) => statements.push(statement.slice(0, 6)))
  const site = await openSite({ ...database, db })
  const { token } = await site.auth.sessions.create('ann')
  statements.length = 0
  for (let check = 0; check < 1000; check += 1) {
    site.clock.pass(10)
    await site.auth.sessions.verify(token)
  }
  // 10,000 seconds are two full hours.
  expect(statements.filter((statement) => statement === 'select')).toHaveLength(1000)
  expect(statements.filter((statement) => statement !== 'select')).toEqual(['update', 'update'])
})
