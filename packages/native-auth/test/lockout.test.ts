import { describe, expect, test } from 'vitest'

import type { Browser } from './support/browser.ts'
import { databases, openUrl } from './support/databases.ts'
import { ADMIN, ANN, openSite, TestSite } from './support/site.ts'

const A = '192.0.2.10'
const B = '198.51.100.20'

const status = async (browser: Browser, password: string, username = 'ann') =>
  (await browser.json('POST', '/hub/login', { username, password })).status

async function fail(browser: Browser, times: number, username = 'ann'): Promise<void> {
  for (let round = 0; round < times; round += 1) await status(browser, 'wrong', username)
}

const NO_CLIENT_LIMIT = { loginsPerMinute: 0, signUpsPerHour: 0 }

describe.each(databases)('the lockout on %s', (_, createDatabase) => {
  test('lets ten of fifty parallel guesses through, then refuses the right one, also after a restart (S6)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: NO_CLIENT_LIMIT })
    await Promise.all(Array.from({ length: 50 }, () => status(site.browser(A), 'wrong')))
    const audit = await site.auth.audit.list({ limit: 200 })
    // Each guess that was really looked at leaves a line.
    expect(audit.filter(({ action }) => action === 'login-failed')).toHaveLength(10)
    expect(audit.filter(({ action }) => action === 'locked')).toHaveLength(1)
    expect(await status(site.browser(A), ANN.password)).toBe(401)

    const again = openUrl(database.url)
    const restarted = new TestSite({ ...database, db: again }, { now: site.clock.now })
    expect(await status(restarted.browser(A), ANN.password)).toBe(401)
    site.clock.pass(899)
    expect(await status(restarted.browser(A), ANN.password)).toBe(401)
    site.clock.pass(2)
    expect(await status(restarted.browser(A), ANN.password)).toBe(200)
    await again.destroy()
  })

  test('doubles after each further failure, up to its cap, and forgets after a success (S6)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 3, seconds: 60, maxSeconds: 200 } })
    const browser = site.browser(A)
    const openAfter = async (seconds: number) => {
      site.clock.pass(seconds - 1)
      const before = await status(browser, ANN.password)
      site.clock.pass(2)
      return [before, await status(site.browser(A), ANN.password)]
    }
    await fail(browser, 3)
    expect(await openAfter(60)).toEqual([401, 200])
    await fail(site.browser(A), 3)
    site.clock.pass(61)
    await fail(site.browser(A), 1)
    expect(await openAfter(120)).toEqual([401, 200])
    await fail(site.browser(A), 3)
    for (const wait of [61, 121]) {
      site.clock.pass(wait)
      await fail(site.browser(A), 1)
    }
    expect(await openAfter(200)).toEqual([401, 200])
  })

  test('holds also when more than a day has passed in the middle of it (1d)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 2, seconds: 600, maxSeconds: 600 } })
    await fail(site.browser(A), 2)
    site.clock.pass(86_400 + 5)
    // The model's clock drops whole days, and would lock again here.
    expect(await status(site.browser(A), ANN.password)).toBe(200)
  })

  test('does not extend while it holds', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 2, seconds: 600 } })
    await fail(site.browser(A), 2)
    site.clock.pass(590)
    await fail(site.browser(A), 5)
    site.clock.pass(11)
    expect(await status(site.browser(A), ANN.password)).toBe(200)
  })

  test('stops an attacker, and not the owner on a known device or another network (S7)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: NO_CLIENT_LIMIT, lockout: { failures: 3, ceiling: 7 } })
    const owner = await site.loggedIn(ANN, A)
    await owner.json('POST', '/hub/logout')
    await fail(site.browser(A), 3)
    expect(await status(site.browser('192.0.2.99'), ANN.password)).toBe(401)
    expect(await status(owner, ANN.password)).toBe(200)
    expect(await status(site.browser(B), ANN.password)).toBe(200)
    // From many networks the ceiling of the account is reached; a stranger is refused everywhere, the device is not.
    for (const net of ['203.0.113.1', '203.0.114.1', '203.0.115.1']) await fail(site.browser(net), 3)
    expect(await status(site.browser(B), ANN.password)).toBe(401)
    expect(await status(owner, ANN.password)).toBe(200)
  })

  test('at the ceiling ends by an administrator or by a link to a new password (S7)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: NO_CLIENT_LIMIT, lockout: { failures: 2, ceiling: 2 } })
    const root = await site.loggedIn(ADMIN)
    await fail(site.browser(A), 2)
    site.clock.pass(400_000)
    expect(await status(site.browser(B), ANN.password)).toBe(401)
    expect((await root.json('POST', '/hub/users/ann/unlock')).status).toBe(200)
    expect(await status(site.browser(A), ANN.password)).toBe(200)

    await fail(site.browser(A), 2)
    const { token } = await site.auth.links.createReset('ann')
    await site.auth.links.reset(token, 'a fresh sentence of mine')
    expect(await status(site.browser(A), 'a fresh sentence of mine')).toBe(200)
  })

  test('gives a device mark of one account no counter on another (S7)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: NO_CLIENT_LIMIT, lockout: { failures: 2 } })
    await fail(site.browser(A), 2, 'root')
    const ann = await site.loggedIn(ANN, A)
    expect(await status(ann, ADMIN.password, 'root')).toBe(401)
    ann.cookies.set('__Host-native-auth-device', 'forged.99999999999999.forged')
    expect(await status(ann, ADMIN.password, 'root')).toBe(401)
  })

  test('is off at 0', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: NO_CLIENT_LIMIT, lockout: { failures: 0 } })
    await fail(site.browser(A), 12)
    expect(await status(site.browser(A), ANN.password)).toBe(200)
  })
})

describe.each(databases)('the limit by client on %s', (_, createDatabase) => {
  test('counts addresses, /64 networks and IPv4 in IPv6 clothes, and no header (S8)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: { loginsPerMinute: 2 }, lockout: { failures: 0 } })
    const from = async (ip: string | undefined, headers: Record<string, string> = {}) => {
      const send = { headers, ...(ip === undefined ? {} : { ip }) }
      const body = { username: 'ann', password: '' }
      return site.browser().json('POST', '/hub/login', body, send)
    }
    const statuses = async (...ips: (string | undefined)[]) => {
      const all: number[] = []
      for (const ip of ips) all.push((await from(ip)).status)
      return all
    }
    expect(await statuses('192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2')).toEqual([401, 401, 429, 401])
    expect(await statuses('::ffff:192.0.2.1', '::ffff:c000:201')).toEqual([429, 429])
    expect(await statuses('2001:db8::1', '2001:db8::2', '2001:db8::ffff:3', '2001:db8:0:1::1')).toEqual([
      401, 401, 429, 401,
    ])
    const forwarded = { 'x-forwarded-for': '203.0.113.7', forwarded: 'for=203.0.113.8', 'x-real-ip': '203.0.113.9' }
    const refused = await from('192.0.2.1', forwarded)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBe(60)
    // Unknown addresses are not one client.
    expect(await statuses(undefined, undefined, undefined, 'unix:')).toEqual([401, 401, 401, 401])
    site.clock.pass(61)
    expect((await from('192.0.2.1')).status).toBe(401)
  })

  test('counts sign-ups by the hour (S8)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { clientLimits: { signUpsPerHour: 2 } })
    const register = async () => (await site.browser(A).json('POST', '/hub/users/register', {})).status
    expect([await register(), await register(), await register()]).toEqual([422, 422, 429])
    site.clock.pass(3601)
    expect(await register()).toBe(422)
  })

  test('counts requests for links apart from sign-ups: neither uses the other up', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, {
      mail: () => Promise.resolve(),
      origins: ['https://hub.example.org'],
      clientLimits: { signUpsPerHour: 2, resetsPerHour: 3 },
    })
    const status = async (path: string, body: object) => (await site.browser(A).json('POST', path, body)).status
    const register = () => status('/hub/users/register', {})
    const forgot = () => status('/hub/forgot-password', { username: 'nobody' })
    expect([await forgot(), await forgot(), await forgot(), await forgot()]).toEqual([202, 202, 202, 429])
    expect([await register(), await register(), await register()]).toEqual([422, 422, 429])
    // The page shares its counter with the JSON route.
    expect((await site.browser(A).form('/hub/forgot-password', { username: 'nobody' })).status).toBe(429)
    site.clock.pass(3601)
    expect([await register(), await register(), await register(), await forgot()]).toEqual([422, 422, 429, 202])
  })

  test('forgets what has expired when it is pruned (P11)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    await fail(site.browser(A), 2)
    site.clock.pass(3 * 86_400)
    await site.auth.prune()
    expect(JSON.parse(await database.dump())[4]).toEqual([])
  })
})
