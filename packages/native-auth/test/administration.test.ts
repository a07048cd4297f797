import { describe, expect, test } from 'vitest'

import type { HookEvent } from '../src/index.ts'
import { databases } from './support/databases.ts'
import { ADMIN, ANN, openSite, TestSite } from './support/site.ts'

const TOKEN = 'sixteen letters and more'

describe.each(databases)('administration on %s', (_, createDatabase) => {
  test('never loses its last administrator (S27)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const root = await site.loggedIn(ADMIN)
    const before = await database.dump()
    for (const action of ['withdraw-admin', 'unauthorise', 'block']) {
      const response = await root.json('POST', `/hub/users/root/${action}`)
      expect([action, response.status]).toEqual([action, 409])
      expect(await response.json()).toMatchObject({ code: 'NATIVE_AUTH_LAST_ADMIN' })
    }
    await expect(site.auth.accounts.remove('root')).rejects.toMatchObject({ code: 'NATIVE_AUTH_LAST_ADMIN' })
    expect(await database.dump()).toBe(before)
    await root.json('POST', '/hub/users/ann/grant-admin')
    const demoted = await Promise.allSettled([
      site.auth.accounts.setAdmin('root', false),
      site.auth.accounts.setAdmin('ann', false),
    ])
    expect(demoted.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await site.auth.accounts.list({ state: 'admin' })).total).toBe(1)
  })

  test('asks for its rights at each request (S27)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    expect((await ann.json('GET', '/hub/users')).status).toBe(403)
    await site.auth.accounts.setAdmin('ann', true)
    const again = await site.loggedIn(ANN)
    expect((await again.json('GET', '/hub/users')).status).toBe(200)
    await site.auth.accounts.setAdmin('ann', false)
    expect((await again.json('GET', '/hub/users')).status).toBe(403)
  })

  test('gives a listed name only to who has the token, but in the compat preset (S27)', async () => {
    await using database = await createDatabase()
    const site = new TestSite(database, { adminUsers: ['Boss'], adminToken: TOKEN })
    await site.auth.migrate()
    const register = async (admin_token?: string) => {
      const body = { username: 'BOSS', password: 'a bossy sentence', admin_token }
      return (await site.browser().json('POST', '/hub/users/register', body)).status
    }
    expect([await register(), await register('wrong token, wrong')]).toEqual([403, 403])
    expect((await site.auth.accounts.list()).total).toBe(0)
    expect(await register(TOKEN)).toBe(201)
    expect(await site.auth.accounts.get('boss')).toMatchObject({ isAdmin: true, isAuthorised: true })

    const compat = new TestSite(database, { adminUsers: ['chief'], passwords: { preset: 'compat' } })
    await compat.auth.signUp({ username: 'chief', password: 'x' })
    expect(await compat.auth.accounts.get('chief')).toMatchObject({ isAdmin: true })
  })

  test('begins with an administrator made by the operator, once', async () => {
    await using database = await createDatabase()
    const site = new TestSite(database)
    await site.auth.migrate()
    expect(await site.auth.accounts.bootstrapAdmin(ADMIN)).toMatchObject({ username: 'root', isAdmin: true })
    expect(await site.auth.accounts.bootstrapAdmin({ ...ADMIN, username: 'other' })).toBeUndefined()
  })

  test('lists with paging, search and state in two statements', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    for (const username of ['bob', 'b_b', 'carl']) {
      await site.auth.signUp({ username, password: 'a long sentence 1' })
    }
    await site.auth.accounts.block('ann', { reason: 'rent', until: site.clock.at + 1000 })
    const root = await site.loggedIn(ADMIN)
    const list = async (query: string) => {
      const response = await root.json('GET', `/hub/users?${query}`)
      const { users, total } = (await response.json()) as { users: { username: string }[]; total: number }
      return [users.map(({ username }) => username).join(), total]
    }
    expect(await list('')).toEqual(['ann,b_b,bob,carl,root', 5])
    expect(await list('limit=2&offset=3')).toEqual(['carl,root', 5])
    expect(await list('search=B_')).toEqual(['b_b', 1])
    expect(await list('search=%25')).toEqual(['', 0])
    expect(await list('state=pending')).toEqual(['b_b,bob,carl', 3])
    expect(await list('state=blocked')).toEqual(['ann', 1])
    expect(await list('state=admin')).toEqual(['root', 1])
    site.clock.pass(2)
    expect(await list('state=blocked')).toEqual(['', 0])
    expect((await root.json('GET', '/hub/users?limit=x')).status).toBe(422)
  })

  test('blocks with a reason and an end', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const root = await site.loggedIn(ADMIN)
    const until = new Date(site.clock.at + 60_000).toISOString()
    const blocked = await root.json('POST', '/hub/users/ann/block', { reason: 'rent', until })
    expect(await blocked.json()).toMatchObject({ is_blocked: true, blocked_reason: 'rent', blocked_until: until })
    await expect(site.auth.authenticate(ANN)).rejects.toMatchObject({ code: 'NATIVE_AUTH_INVALID_CREDENTIALS' })
    site.clock.pass(61)
    await site.loggedIn(ANN)
    expect((await root.json('POST', '/hub/users/ann/block', { until: 'soon' })).status).toBe(422)
    expect((await root.json('POST', '/hub/users/ann/block')).status).toBe(200)
    site.clock.pass(1_000_000)
    expect((await root.json('POST', '/hub/users/ann/unblock')).status).toBe(403)
    const later = await site.loggedIn(ADMIN)
    expect((await later.json('POST', '/hub/users/ann/unblock')).status).toBe(200)
    await site.loggedIn(ANN)
  })

  test('leaves a trail of who did what, without a secret (S26)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const root = await site.loggedIn(ADMIN, '192.0.2.1')
    await root.json('POST', '/hub/users', { username: 'bob', password: 'a long sentence 1' })
    await root.json('POST', '/hub/users/bob/unauthorise')
    await root.json('DELETE', '/hub/users/bob')
    await site.browser('192.0.2.2').json('POST', '/hub/login', { username: 'ann', password: 'a secret typo' })
    const { entries } = (await (await root.json('GET', '/hub/audit')).json()) as { entries: Record<string, unknown>[] }
    const seen = entries.map(({ action, actor_id, username, ip }) => [action, actor_id, username, ip])
    expect(seen.slice(0, 5)).toEqual([
      ['login-failed', null, 'ann', '192.0.2.2'],
      ['removed', 1, 'bob', '192.0.2.1'],
      ['unauthorised', 1, 'bob', '192.0.2.1'],
      ['signed-up', 1, 'bob', '192.0.2.1'],
      ['logged-in', 1, 'root', '192.0.2.1'],
    ])
    expect(JSON.stringify(entries)).not.toMatch(/typo|sentence|argon2|\$/)
  })

  test('tells hooks after the fact, and a failing hook changes nothing', async () => {
    await using database = await createDatabase()
    const told: string[] = []
    const note = (name: string) => (event: HookEvent<Record<string, never>>) => {
      told.push(`${name} ${event.account.username} ${event.actorId ?? '-'}`)
      if (name === 'blocked') throw new Error('hook')
    }
    const names = ['signedUp', 'authorised', 'unauthorised', 'blocked', 'unblocked', 'removed', 'adminChanged'] as const
    const more = ['loggedIn', 'locked', 'passwordChanged', 'secondFactorChanged'] as const
    const site = await openSite(database, {
      hooks: Object.fromEntries([...names, ...more].map((name) => [name, note(name)])),
      lockout: { failures: 1 },
    })
    told.length = 0
    const { accounts, passwords, secondFactor } = site.auth
    await site.auth.signUp({ username: 'bob', password: 'a long sentence 1' })
    await accounts.authorise('bob', { actorId: 1 })
    await accounts.block('bob', {}, { actorId: 1 })
    await accounts.unblock('bob')
    await accounts.setAdmin('bob', true)
    await passwords.set('bob', 'another sentence 2')
    await secondFactor.reset('bob')
    await site.auth.authenticate({ username: 'bob', password: 'another sentence 2' })
    await site.auth.authenticate({ username: 'bob', password: 'x' }).catch(() => undefined)
    await accounts.remove('bob', { actorId: 1 })
    expect(told).toEqual([
      'signedUp bob -',
      'authorised bob 1',
      'blocked bob 1',
      'unblocked bob -',
      'adminChanged bob -',
      'passwordChanged bob -',
      'secondFactorChanged bob -',
      'loggedIn bob -',
      'locked bob -',
      'unauthorised bob 1',
      'removed bob 1',
    ])
    expect(site.errors).toHaveLength(1)
  })
})
