import { describe, expect, test } from 'vitest'

import { nodeRsHasher } from '../src/node-rs.ts'
import type { Browser } from './support/browser.ts'
import { databases, openUrl } from './support/databases.ts'
import { openSite } from './support/site.ts'

/** Everything of an answer that an attacker sees, but what is random in every answer. */
async function seen(response: Response): Promise<string> {
  const text = (await response.text()).replace(/value="[^"]*"/g, 'value=""')
  const headers = [...response.headers].filter(([name]) => name !== 'set-cookie')
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.replace(/=[^;]*/, ''))
  return JSON.stringify([response.status, headers, cookies, text])
}

describe.each(databases)('a failed login on %s', (_, createDatabase) => {
  test('answers the same to the byte, whoever is named, after exactly one verification (S4, S5)', async () => {
    await using database = await createDatabase()
    const inner = nodeRsHasher()
    let verifications = 0
    const site = await openSite(database, {
      blockedUsers: ['banned'],
      lockout: { failures: 2 },
      passwords: {
        hasher: {
          ...inner,
          verify(hash, password) {
            verifications += 1
            return inner.verify(hash, password)
          },
        },
      },
    })
    const { auth } = site
    await auth.accounts.create({ username: 'blocked', password: 'a password of one' })
    await auth.accounts.block('blocked')
    await auth.accounts.create({ username: 'locked', password: 'a password of two' })
    for (let round = 0; round < 2; round += 1) {
      await auth.authenticate({ username: 'locked', password: 'x' }).catch(() => undefined)
    }
    await auth.signUp({ username: 'pending', password: 'a password of three' })

    const attempts: [string, string][] = [
      ['nobody', 'a wrong password'],
      ['ann', 'a wrong password'],
      ['blocked', 'a wrong password'],
      ['blocked', 'a password of one'],
      ['locked', 'a wrong password'],
      ['locked', 'a password of two'],
      ['pending', 'a wrong password'],
      ['banned', 'a wrong password'],
      ['not a name\u0000', 'a wrong password'],
      ['x'.repeat(4000), 'a wrong password'],
      ['ann', 'x'.repeat(4000)],
    ]
    const asJson = (browser: Browser, username: string, password: string) =>
      browser.json('POST', '/hub/login', { username, password })
    const asForm = (browser: Browser, username: string, password: string) =>
      browser.form('/hub/login', { username, password })
    for (const post of [asJson, asForm]) {
      const answers = new Set<string>()
      for (const [username, password] of attempts) {
        verifications = 0
        answers.add(await seen(await post(site.browser(), username, password)))
        expect([username.slice(0, 20), verifications]).toEqual([username.slice(0, 20), 1])
      }
      expect(answers.size).toBe(1)
    }
  })

  test('makes the same statements and leaves the same trail, whether the name is known or not (S4)', async () => {
    await using database = await createDatabase()
    const statements: string[] = []
    await using db = openUrl(database.url, (statement) => statements.push(statement))
    const site = await openSite({ ...database, db })
    const { auth } = site
    const attempt = async (username: string) => {
      statements.length = 0
      const response = await site.browser('192.0.2.1').json('POST', '/hub/login', { username, password: 'wrong' })
      expect(response.status).toBe(401)
      return [...statements]
    }
    // The first one also makes the hash that unknown names are checked against.
    await attempt('somebody')
    expect(await attempt('nobody')).toEqual(await attempt('ann'))
    const [known, unknown] = await auth.audit.list({ limit: 2 })
    const ann = await auth.accounts.get('ann')
    expect(known).toMatchObject({ action: 'login-failed', accountId: ann?.id, username: 'ann', ip: '192.0.2.1' })
    // What was typed as a name may be a password.
    expect(unknown).toMatchObject({ action: 'login-failed', accountId: undefined, username: undefined })
    expect(await database.dump()).not.toContain('nobody')
  })

  test('of a pending account says so only after the right password, which counts (S5)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { lockout: { failures: 3 } })
    const bob = { username: 'bob', password: 'a password of three' }
    await site.auth.signUp(bob)
    const post = async (password: string) =>
      (await site.browser().json('POST', '/hub/login', { ...bob, password })).status
    expect([await post(bob.password), await post('wrong'), await post(bob.password)]).toEqual([403, 401, 403])
    expect(await post(bob.password)).toBe(401)
  })
})
