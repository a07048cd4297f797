import { describe, expect, test } from 'vitest'

import { ascending } from './support/ascending.ts'
import { databases } from './support/databases.ts'
import { letterBox } from './support/letter-box.ts'
import { ADMIN, ANN, openSite } from './support/site.ts'

const ORIGIN = 'https://hub.example.org'

describe.each(databases)('links on %s', (_, createDatabase) => {
  test('to a new password work once, also twice at once, for an hour, and only by POST (S24)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const root = await site.loggedIn(ADMIN)
    const made = (await (await root.json('POST', '/hub/users/ann/reset-link')).json()) as { path: string }
    const token = made.path.split('/').at(-1) ?? ''
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect(await database.dump()).not.toContain(token)
    const opened = await site.browser().get(made.path)
    expect([opened.status, opened.headers.get('referrer-policy'), opened.headers.get('cache-control')]).toEqual([
      200,
      'no-referrer',
      'no-store',
    ])
    const passwords = ['first fresh sentence', 'second fresh sentence']
    const both = await Promise.all(
      passwords.map((new_password) => site.browser().json('POST', '/hub/reset', { token, new_password })),
    )
    expect(ascending(both.map(({ status }) => status))).toEqual([204, 410])
    const won = passwords[both.findIndex(({ status }) => status === 204)] ?? ''
    await site.loggedIn({ username: 'ann', password: won })
    expect((await site.browser().get(made.path)).status).toBe(410)

    const { path } = await site.auth.links.createReset('ann')
    site.clock.pass(3601)
    const late = await site.browser().form(path, { new_password: 'x', new_password_confirmation: 'x' }, '/hub/login')
    expect(late.status).toBe(410)
  })

  test('survive a refused password, and end the old sessions (S24)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const ann = await site.loggedIn(ANN)
    const { path } = await site.auth.links.createReset('ann')
    const browser = site.browser()
    const post = async (new_password: string, new_password_confirmation = new_password) =>
      (await browser.form(path, { new_password, new_password_confirmation })).status
    expect([await post('short'), await post('one long sentence', 'another one')]).toEqual([422, 422])
    expect(await post('one long sentence')).toBe(200)
    expect((await ann.get('/hub/me')).status).toBe(401)
  })

  test.each([
    [
      'a password change',
      (site: { auth: { passwords: { set(n: string, p: string): Promise<void> } } }) =>
        site.auth.passwords.set('ann', 'a set sentence'),
    ],
    [
      'a block',
      (site: { auth: { accounts: { block(n: string): Promise<unknown> } } }) => site.auth.accounts.block('ann'),
    ],
    [
      'taking back the authorisation',
      (site: { auth: { accounts: { unauthorise(n: string): Promise<unknown> } } }) =>
        site.auth.accounts.unauthorise('ann'),
    ],
  ])('are dead after %s (S24)', async (_name, act) => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const { token } = await site.auth.links.createReset('ann')
    await act(site)
    const response = await site.browser().json('POST', '/hub/reset', { token, new_password: 'a fresh sentence' })
    expect(response.status).toBe(410)
  })

  test('are mailed on demand to the own origin, and nobody learns whether there is an account (S24)', async () => {
    await using database = await createDatabase()
    const box = letterBox()
    const site = await openSite(database, { origins: [ORIGIN], mail: (message) => box.mail(message) })
    await site.auth.accounts.create({ username: 'bob', password: 'a bobby sentence', email: 'bob@example.org' })
    const ask = async (username: string) => {
      const init = { headers: { 'x-forwarded-host': 'evil.example', host: 'evil.example' } }
      const response = await site.browser().json('POST', '/hub/forgot-password', { username }, init)
      return `${response.status} ${await response.text()}`
    }
    expect(new Set([await ask('bob'), await ask('ann'), await ask('nobody'), await ask('')]).size).toBe(1)
    const link = await box.next()
    expect(link).toMatch(/^https:\/\/hub\.example\.org\/hub\/reset\/[\w-]{43}$/)
    expect(box.letters).toMatchObject([{ to: 'bob@example.org', kind: 'reset' }])
    const { pathname } = new URL(link)
    const fields = { new_password: 'a fresh sentence', new_password_confirmation: 'a fresh sentence' }
    expect((await site.browser().form(pathname, fields)).status).toBe(200)
    await site.loggedIn({ username: 'bob', password: 'a fresh sentence' })
    // At most three an hour.
    for (let round = 0; round < 5; round += 1) await ask('bob')
    await box.next()
    expect(box.letters.length).toBeLessThanOrEqual(3)
  })

  test('confirm an own account when the whole address matches, once, and not against an administrator (S24, S25)', async () => {
    await using database = await createDatabase()
    const box = letterBox()
    const site = await openSite(database, {
      origins: [ORIGIN],
      mail: (message) => box.mail(message),
      // Unanchored, as people write them.
      signUp: { selfApproval: /[^@]+@example\.com/ },
    })
    const signUp = async (username: string, email?: string) =>
      (await site.browser().json('POST', '/hub/users/register', { username, email, password: 'a bobby sentence' }))
        .status
    expect([await signUp('eve', 'a@example.com.evil.org'), await signUp('none'), await signUp('bad', 'a@b.')]).toEqual([
      201, 422, 422,
    ])
    expect(box.letters).toEqual([])
    expect(await signUp('bob', 'bob@EXAMPLE.com')).toBe(201)
    const { pathname } = new URL(await box.next())
    expect((await site.browser().get(pathname)).status).toBe(200)
    expect(await site.auth.accounts.get('bob')).toMatchObject({ isAuthorised: false })
    expect((await site.browser().form(pathname, {})).status).toBe(200)
    await site.loggedIn({ username: 'bob', password: 'a bobby sentence' })
    await site.auth.accounts.unauthorise('bob')
    expect((await site.browser().form(pathname, {}, '/hub/login')).status).toBe(410)
    expect(await site.auth.accounts.get('bob')).toMatchObject({ isAuthorised: false })

    await signUp('late', 'late@example.com')
    const late = new URL(await box.next()).pathname
    site.clock.pass(901)
    expect((await site.browser().form(late, {}, '/hub/login')).status).toBe(410)
    await signUp('gone', 'gone@example.com')
    const gone = new URL(await box.next()).pathname
    await site.auth.accounts.discard('gone')
    expect((await site.browser().form(gone, {}, '/hub/login')).status).toBe(410)
  })

  test('that cannot be mailed leave no account behind', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, {
      origins: [ORIGIN],
      mail: () => Promise.reject(new Error('smtp: password hunter2 refused')),
      signUp: { selfApproval: /.+@example\.com/ },
    })
    const body = { username: 'bob', email: 'bob@example.com', password: 'a bobby sentence' }
    const response = await site.browser().json('POST', '/hub/users/register', body)
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('hunter2')
    expect(await site.auth.accounts.get('bob')).toBeUndefined()
  })
})
