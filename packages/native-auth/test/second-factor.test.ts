import { describe, expect, test } from 'vitest'

import { fromBase32, stepAt, totp } from '../src/second-factor/totp.ts'
import type { Browser } from './support/browser.ts'
import { ascending } from './support/ascending.ts'
import { databases } from './support/databases.ts'
import { ADMIN, ANN, openSite, type TestSite } from './support/site.ts'

/** The app on somebody's phone. */
function app(site: TestSite, secret: string) {
  return (offset = 0) => totp(fromBase32(secret), stepAt(site.clock.at) + offset)
}

async function enrol(site: TestSite, browser: Browser) {
  const started = await browser.json('POST', '/hub/second-factor/start', { password: ANN.password })
  const { setup, secret, uri, qr_svg } = (await started.json()) as Record<string, string>
  const code = app(site, secret ?? '')
  const confirmed = await browser.json('POST', '/hub/second-factor/confirm', { setup, code: code() })
  expect(confirmed.status).toBe(200)
  const { recovery_codes: recoveryCodes } = (await confirmed.json()) as { recovery_codes: string[] }
  site.clock.pass(30)
  return { code, recoveryCodes, secret: secret ?? '', uri: uri ?? '', svg: qr_svg ?? '' }
}

/** First step of a login. */
async function challenge(browser: Browser): Promise<string> {
  const response = await browser.json('POST', '/hub/login', ANN)
  const body = (await response.json()) as { code: string; challenge: string }
  expect([response.status, body.code]).toEqual([401, 'NATIVE_AUTH_SECOND_FACTOR_REQUIRED'])
  expect(response.headers.getSetCookie()).toEqual([])
  return body.challenge
}

const answer = async (browser: Browser, challenged: string, code: string) =>
  (await browser.json('POST', '/hub/login/code', { challenge: challenged, code })).status

describe.each(databases)('the second factor on %s', (_, createDatabase) => {
  test('asks only after a first code confirmed it, and its secret is encrypted and shown once (S21)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    const started = await ann.json('POST', '/hub/second-factor/start', { password: ANN.password })
    const { setup, secret = '' } = (await started.json()) as Record<string, string>
    expect((await ann.json('POST', '/hub/second-factor/confirm', { setup, code: '000000' })).status).toBe(401)
    await site.loggedIn(ANN)

    const factor = await enrol(site, ann)
    expect(fromBase32(factor.secret)).toHaveLength(20)
    expect(factor.uri).toBe(
      `otpauth://totp/Hub:ann?secret=${factor.secret}&issuer=Hub&algorithm=SHA1&digits=6&period=30`,
    )
    expect(factor.svg).toMatch(/^<svg/)
    const dump = await database.dump()
    for (const text of [secret, factor.secret, ...factor.recoveryCodes]) expect(dump).not.toContain(text)
    expect(await (await ann.get('/hub/me')).json()).toMatchObject({ has_second_factor: true })
    expect(JSON.stringify(await (await ann.get('/hub/me')).json())).not.toContain(factor.secret)
  })

  test('takes a code once, also twice at once, and one step to either side (S21)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { code } = await enrol(site, await site.loggedIn(ANN))
    const [one, two] = await Promise.all([challenge(site.browser()), challenge(site.browser())])
    const both = await Promise.all([answer(site.browser(), one, code()), answer(site.browser(), two, code())])
    expect(ascending(both)).toEqual([200, 401])
    for (const offset of [-2, 2]) {
      expect(await answer(site.browser(), await challenge(site.browser()), code(offset))).toBe(401)
    }
    site.clock.pass(90)
    expect(await answer(site.browser(), await challenge(site.browser()), code(-1))).toBe(200)
    expect(await answer(site.browser(), await challenge(site.browser()), code(1))).toBe(200)
    // Earlier than the last accepted one.
    expect(await answer(site.browser(), await challenge(site.browser()), code())).toBe(401)
  })

  test('gives a challenge that works once, for ten minutes, for five tries, and is no session (S22)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 50 } })
    const { code } = await enrol(site, await site.loggedIn(ANN))
    const used = await challenge(site.browser())
    expect([await answer(site.browser(), used, code()), await answer(site.browser(), used, code(1))]).toEqual([
      200, 401,
    ])
    const old = await challenge(site.browser())
    site.clock.pass(601)
    expect(await answer(site.browser(), old, code())).toBe(401)
    const tried = await challenge(site.browser())
    await Promise.all(Array.from({ length: 5 }, () => answer(site.browser(), tried, '000000')))
    expect(await answer(site.browser(), tried, code())).toBe(401)
    const thief = site.browser()
    for (const token of [await challenge(site.browser()), tried]) {
      thief.cookies.set('__Host-native-auth-session', token)
      expect((await thief.get('/hub/me')).status).toBe(401)
    }
  })

  test('counts failures over all challenges and both kinds of code (S22)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 6 } })
    const { code, recoveryCodes } = await enrol(site, await site.loggedIn(ANN))
    const challenges = await Promise.all([challenge(site.browser()), challenge(site.browser())])
    await Promise.all(
      challenges.flatMap((one) => [
        ...Array.from({ length: 3 }, () => answer(site.browser(), one, '000000')),
        answer(site.browser(), one, 'AAAAAA-BBBBBB'),
      ]),
    )
    const next = await challenge(site.browser())
    expect([
      await answer(site.browser(), next, code()),
      await answer(site.browser(), next, recoveryCodes[0] ?? ''),
    ]).toEqual([401, 401])
    site.clock.pass(901)
    expect(await answer(site.browser(), await challenge(site.browser()), code())).toBe(200)
  })

  test('is not asked for by a reset link, nor skipped by it (S22)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    await enrol(site, await site.loggedIn(ANN))
    const { token } = await site.auth.links.createReset('ann')
    const reset = await site.browser().json('POST', '/hub/reset', { token, new_password: 'a fresh sentence' })
    expect([reset.status, reset.headers.getSetCookie()]).toEqual([204, []])
    const login = await site.browser().json('POST', '/hub/login', { username: 'ann', password: 'a fresh sentence' })
    expect(await login.json()).toMatchObject({ code: 'NATIVE_AUTH_SECOND_FACTOR_REQUIRED' })
  })

  test('has ten recovery codes that work once each, and not at all once renewed (S23)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { code, recoveryCodes } = await enrol(site, await site.loggedIn(ANN))
    expect(new Set(recoveryCodes).size).toBe(10)
    const [first = '', second = '', third = ''] = recoveryCodes
    expect(first.replaceAll('-', '')).toMatch(/^[A-Z2-7]{24}$/)
    const [one, two] = await Promise.all([challenge(site.browser()), challenge(site.browser())])
    const both = await Promise.all([answer(site.browser(), one, first), answer(site.browser(), two, first)])
    expect(ascending(both)).toEqual([200, 401])
    const ann = site.browser()
    expect(await answer(ann, await challenge(ann), second.toLowerCase().replaceAll('-', ' '))).toBe(200)
    const proof = { password: ANN.password, code: code() }
    const renewed = await ann.json('POST', '/hub/second-factor/recovery-codes', proof)
    expect(((await renewed.json()) as { recovery_codes: string[] }).recovery_codes).toHaveLength(10)
    expect(await answer(site.browser(), await challenge(site.browser()), third)).toBe(401)
  })

  test('goes off only with password and code, or by an administrator (S21)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    const { code } = await enrol(site, ann)
    const disable = async (password: string, given: string) =>
      (await ann.json('POST', '/hub/second-factor/disable', { password, code: given })).status
    expect([await disable('wrong', code()), await disable(ANN.password, '000000')]).toEqual([422, 401])
    expect(await disable(ANN.password, code())).toBe(200)
    expect((await ann.get('/hub/me')).status).toBe(200)
    await site.loggedIn(ANN)

    await enrol(site, await site.loggedIn(ANN))
    const root = await site.loggedIn(ADMIN)
    expect((await root.json('POST', '/hub/users/ann/reset-second-factor')).status).toBe(200)
    await site.loggedIn(ANN)
  })

  test.each([
    ['all', [ADMIN, ANN], []],
    ['admins', [ADMIN], [ANN]],
  ] as const)('required for %s is set up before the first session', async (secondFactor, must, need) => {
    await using database = await createDatabase()
    const site = await openSite(database, { secondFactor })
    for (const who of need) await site.loggedIn(who)
    for (const who of must) {
      const browser = site.browser()
      const page = await (await browser.form('/hub/login', { ...who, next: '/hub/spawn' })).text()
      const setup = /name="setup" value="([^"]+)"/.exec(page)?.[1] ?? ''
      const secret = (/<code>([A-Z2-7 ]+)<\/code>/.exec(page)?.[1] ?? '').replaceAll(' ', '')
      const token = /name="_xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
      expect((await browser.get('/hub/me')).status).toBe(401)
      const post = (code: string) =>
        browser.send('POST', '/hub/second-factor/confirm', {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ setup, code, next: '/hub/spawn', _xsrf: token }).toString(),
        })
      expect((await post('000000')).status).toBe(401)
      const confirmed = await post(app(site, secret)())
      expect(confirmed.status).toBe(200)
      expect(await confirmed.text()).toContain('href="/hub/spawn"')
      expect((await browser.get('/hub/me')).status).toBe(200)
      const { session } = await site.auth.sessions.create(who.username)
      await expect(
        site.auth.secondFactor.disable(session, { password: who.password, code: app(site, secret)(1) }),
      ).rejects.toMatchObject({ code: 'NATIVE_AUTH_FORBIDDEN' })
    }
  })

  test('works on the pages, in two steps, and in one for forms of the model', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { code } = await enrol(site, await site.loggedIn(ANN))
    const browser = site.browser()
    const page = await (await browser.form('/hub/login', { ...ANN, next: '/hub/spawn' })).text()
    const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(page)?.[1] ?? ''
    const second = await browser.send('POST', '/hub/login/code', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        _xsrf: hidden('_xsrf'),
        challenge: hidden('challenge'),
        next: hidden('next'),
        code: code(),
      }).toString(),
    })
    expect([second.status, second.headers.get('location')]).toEqual([303, '/hub/spawn'])
    expect((await site.browser().form('/hub/login', { ...ANN, '2fa': code(1) })).status).toBe(303)
  })

  test('is asked for by a change of the password, too (S28)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    const { code } = await enrol(site, ann)
    expect(await (await ann.get('/hub/change-password')).text()).toContain('name="code"')
    const body = { old_password: ANN.password, new_password: 'a fresh sentence' }
    expect((await ann.json('POST', '/hub/change-password', body)).status).toBe(401)
    expect((await ann.json('POST', '/hub/change-password', { ...body, code: code() })).status).toBe(200)
  })

  test('is refused where it is switched off', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { secondFactor: 'off' })
    const ann = await site.loggedIn(ANN)
    const response = await ann.json('POST', '/hub/second-factor/start', { password: ANN.password })
    expect(response.status).toBe(403)
    expect(await (await ann.get('/hub/account')).text()).not.toContain('Second factor')
  })
})
