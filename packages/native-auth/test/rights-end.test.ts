import { describe, expect, test } from 'vitest'

import { nodeRsHasher } from '../src/node-rs.ts'
import { fromBase32, stepAt, totp } from '../src/second-factor/totp.ts'
import type { Browser } from './support/browser.ts'
import { databases } from './support/databases.ts'
import { ADMIN, ANN, openSite, type TestSite } from './support/site.ts'

const ORIGIN = 'https://hub.example.org'
const NEXT = { username: 'ann', password: 'another long sentence' }

/** A hasher whose checks can be held up, so that something else happens meanwhile. */
function slowHasher() {
  const hasher = nodeRsHasher()
  let held: Promise<void> | undefined
  let reached = Promise.withResolvers<void>()
  return {
    hasher: {
      ...hasher,
      async verify(hash: string, password: string) {
        const answer = await hasher.verify(hash, password)
        reached.resolve()
        await held
        return answer
      },
    },
    /** Runs one thing in the middle of another: after the password was looked at, before the answer. */
    async during<Result>(work: () => Promise<Result>, meanwhile: () => Promise<unknown>): Promise<Result> {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      reached = Promise.withResolvers<void>()
      const result = work()
      await reached.promise
      held = undefined
      await meanwhile()
      gate.resolve()
      return result
    },
  }
}

const codeOf = (site: TestSite, secret: string, offset = 0) => totp(fromBase32(secret), stepAt(site.clock.at) + offset)

/** Switches the second factor of Ann on. */
async function enrol(site: TestSite) {
  const { session } = await site.auth.authenticate(ANN)
  const { setup, secret } = await site.auth.secondFactor.start(session, ANN.password)
  const { recoveryCodes } = await site.auth.secondFactor.confirm(setup, codeOf(site, secret))
  site.clock.pass(30)
  return { secret, recoveryCodes }
}

const statusOf = async (browser: Browser, path = '/hub/me') => (await browser.get(path)).status

describe.each(databases)('what a password proved on %s', (_, createDatabase) => {
  test('opens no second step after the password changed meanwhile', async () => {
    await using database = await createDatabase()
    const slow = slowHasher()
    const site = await openSite(database, { passwords: { hasher: slow.hasher } })
    const { secret } = await enrol(site)
    const thief = site.browser()
    const first = await slow.during(
      () => thief.json('POST', '/hub/login', ANN),
      async () => {
        site.clock.pass(1)
        await site.auth.passwords.set('ann', NEXT.password)
      },
    )
    const { challenge = '' } = (await first.json()) as { challenge?: string }
    const body = { challenge, code: codeOf(site, secret) }
    expect((await thief.json('POST', '/hub/login/code', body)).status).toBe(401)
    expect(await statusOf(thief)).toBe(401)
  })

  test('enrols nobody after the password changed meanwhile', async () => {
    await using database = await createDatabase()
    const slow = slowHasher()
    const site = await openSite(database, { secondFactor: 'all', passwords: { hasher: slow.hasher } })
    const thief = site.browser()
    const first = await slow.during(
      () => thief.json('POST', '/hub/login', ANN),
      async () => {
        site.clock.pass(1)
        await site.auth.passwords.set('ann', NEXT.password)
      },
    )
    const { challenge: setup = '' } = (await first.json()) as { challenge?: string }
    const shown = await thief.json('POST', '/hub/second-factor/enrolment', { setup })
    const { secret = '' } = (await shown.json()) as { secret?: string }
    const confirmed = await thief.json('POST', '/hub/second-factor/confirm', { setup, code: codeOf(site, secret) })
    expect([shown.status, confirmed.status]).toEqual([410, 410])
    expect((await site.auth.accounts.get('ann'))?.hasSecondFactor).toBe(false)
  })

  test('leaves no session of a change that a reset overtook', async () => {
    await using database = await createDatabase()
    let meanwhile: (() => Promise<unknown>) | undefined
    const hook = async () => {
      const act = meanwhile
      meanwhile = undefined
      await act?.()
    }
    const site = await openSite(database, { hooks: { passwordChanged: hook, secondFactorChanged: hook } })
    const thief = await site.loggedIn(ANN)
    meanwhile = async () => site.auth.passwords.set('ann', NEXT.password)
    const body = { old_password: ANN.password, new_password: 'a thief and a sentence' }
    await thief.json('POST', '/hub/change-password', body)
    expect(await statusOf(thief)).toBe(401)

    await site.auth.passwords.set('ann', ANN.password)
    const { secret } = await enrol(site)
    const { session } = await site.auth.authenticate({ ...ANN, code: codeOf(site, secret) })
    site.clock.pass(30)
    meanwhile = async () => {
      site.clock.pass(1)
      await site.auth.passwords.set('ann', NEXT.password)
    }
    const proof = { password: ANN.password, code: codeOf(site, secret) }
    const { token } = await site.auth.secondFactor.disable(session, proof)
    expect(await site.auth.sessions.verify(token)).toBeUndefined()
  })

  test('switches no second factor off, and gives no codes, after the password changed meanwhile', async () => {
    await using database = await createDatabase()
    const slow = slowHasher()
    const site = await openSite(database, { passwords: { hasher: slow.hasher } })
    const { secret } = await enrol(site)
    for (const act of ['disable', 'renewCodes'] as const) {
      site.clock.pass(30)
      const { session } = await site.auth.authenticate({ ...ANN, code: codeOf(site, secret) })
      site.clock.pass(30)
      const proof = { password: ANN.password, code: codeOf(site, secret) }
      const done = slow.during(
        () => Promise.allSettled([site.auth.secondFactor[act](session, proof)]),
        async () => {
          site.clock.pass(1)
          await site.auth.passwords.set('ann', NEXT.password)
        },
      )
      expect((await done)[0]?.status).toBe('rejected')
      expect((await site.auth.accounts.get('ann'))?.hasSecondFactor).toBe(true)
      site.clock.pass(1)
      await site.auth.passwords.set('ann', ANN.password)
    }
  })

  test('opens no session for somebody blocked meanwhile, also not for after the block', async () => {
    await using database = await createDatabase()
    const slow = slowHasher()
    const site = await openSite(database, { passwords: { hasher: slow.hasher } })
    const ann = site.browser()
    await slow.during(
      () => ann.json('POST', '/hub/login', ANN),
      () => site.auth.accounts.block('ann', { until: site.clock.at + 1000 }),
    )
    site.clock.pass(2)
    expect(await statusOf(ann)).toBe(401)
    await site.loggedIn(ANN)
  })

  test('gives a device no counter of its own after the password changed, or for a namesake', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 2, ceiling: 2 } })
    const thief = await site.loggedIn(ANN)
    site.clock.pass(1)
    await site.auth.passwords.set('ann', NEXT.password)
    const stranger = site.browser('192.0.2.1')
    for (let round = 0; round < 2; round += 1) await stranger.json('POST', '/hub/login', { ...ANN, password: 'x' })
    expect((await thief.json('POST', '/hub/login', NEXT)).status).toBe(401)

    await site.auth.unlock('ann')
    const owner = await site.loggedIn(NEXT)
    await site.auth.accounts.remove('ann')
    site.clock.pass(1)
    await site.auth.accounts.create(ANN)
    for (let round = 0; round < 2; round += 1) await stranger.json('POST', '/hub/login', { ...ANN, password: 'x' })
    expect((await owner.json('POST', '/hub/login', ANN)).status).toBe(401)
  })
})

describe.each(databases)('rights on %s', (_, createDatabase) => {
  test('are asked for when a request is whole, not when it begins', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    await site.auth.accounts.setAdmin('ann', true)
    const ann = await site.loggedIn(ANN)
    const page = await (await ann.get('/hub/authorize/ann')).text()
    const token = /name="_xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const cookie = [...ann.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const send = async (path: string, type: string, text: string) => {
      const body = new TransformStream<Uint8Array, Uint8Array>()
      const headers = { cookie, 'content-type': type, 'sec-fetch-site': 'same-origin' }
      const init = { method: 'POST', headers, body: body.readable, duplex: 'half' } as const
      const answer = site.auth.handler(new Request(`${ORIGIN}${path}`, init))
      const writer = body.writable.getWriter()
      // Done when it is read: the request waits for the rest now.
      await writer.write(new TextEncoder().encode(text.slice(0, 9)))
      return async () => {
        await writer.write(new TextEncoder().encode(text.slice(9)))
        await writer.close()
        return (await answer).status
      }
    }
    const form = new URLSearchParams({ _xsrf: token, action: 'grant-admin' }).toString()
    const finish = [
      await send('/hub/authorize/ann', 'application/x-www-form-urlencoded', form),
      await send('/hub/users', 'application/json', JSON.stringify({ ...NEXT, username: 'ann2', is_admin: true })),
    ]
    await site.auth.accounts.setAdmin('ann', false)
    expect(await Promise.all(finish.map((last) => last()))).toEqual([403, 403])
    expect((await site.auth.accounts.get('ann'))?.isAdmin).toBe(false)
    expect(await site.auth.accounts.get('ann2')).toBeUndefined()
  })

  test('of the session before end at a second step, as at any login (S10)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { secret } = await enrol(site)
    const browser = await site.loggedIn(ADMIN)
    const before = new Map(browser.cookies)
    const page = await (await browser.form('/hub/login', ANN, '/hub/change-password')).text()
    const challenge = /name="challenge" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const xsrf = /name="_xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const fields = { _xsrf: xsrf, challenge, code: codeOf(site, secret) }
    expect((await browser.form('/hub/login/code', fields, '/hub/change-password')).status).toBe(303)
    const old = site.browser()
    for (const [name, value] of before) old.cookies.set(name, value)
    expect([await statusOf(browser), await statusOf(old)]).toEqual([200, 401])
  })

  test('are given by two processes that start at once to one first administrator', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    await site.auth.accounts.create({ ...NEXT, username: 'bob' })
    const { sql } = await import('kysely')
    await sql`delete from native_auth_accounts where username = 'root'`.execute(database.db)
    const made = await Promise.all([site.auth.accounts.bootstrapAdmin(ADMIN), site.auth.accounts.bootstrapAdmin(ADMIN)])
    expect(made.filter((account) => account !== undefined)).toHaveLength(1)
    await expect(site.auth.accounts.bootstrapAdmin({ ...ADMIN, username: 'bob' })).resolves.toBeUndefined()
  })
})
