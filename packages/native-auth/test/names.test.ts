import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'

import { parseEmail } from '../src/accounts/email.ts'
import { databases } from './support/databases.ts'
import { ADMIN, ANN, openSite } from './support/site.ts'

const FORBIDDEN = [
  ['empty', ''],
  ['a space', 'ann smith'],
  ['an outer space', ' ann'],
  ['an ideographic space', 'ann\u3000'],
  ['a tab', 'ann\t'],
  ['a newline', 'ann\n'],
  ['a NUL', 'ann\u0000'],
  ['an escape', 'ann\u001b[31m'],
  ['a zero-width space', 'an\u200bn'],
  ['a zero-width joiner', 'an\u200dn'],
  ['a soft hyphen', 'an\u00adn'],
  ['a right-to-left override', 'ann\u202e'],
  ['a byte order mark', '\ufeffann'],
  ['a slash', 'ann/bob'],
  ['a comma', 'ann,bob'],
  ['a backslash', 'ann\\bob'],
  ['markup', '<script>'],
  ['one dot', '.'],
  ['two dots', '..'],
  ['a lone surrogate', 'ann\ud800'],
  ['a leading combining mark', '\u0301ann'],
  ['an emoji', 'ann🦦'],
  ['65 characters', 'a'.repeat(65)],
]

describe.each(databases)('usernames on %s', (_, createDatabase) => {
  test('are one account in every spelling, on every way in (S16)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { signUp: { open: true } })
    const root = await site.loggedIn(ADMIN)
    const register = async (username: string) =>
      (await site.browser().json('POST', '/hub/users/register', { username, password: 'staple battery 3' })).status
    expect([await register('ANN'), await register('Ａnn'), await register('ann')]).toEqual([409, 409, 409])
    expect([await register('Ren\u00e9'), await register('rene\u0301')]).toEqual([201, 409])
    for (const username of ['ANN', 'Ａnn']) await site.loggedIn({ ...ANN, username })
    const encoded = encodeURIComponent('RENE\u0301')
    expect((await root.get(`/hub/users/${encoded}`, { headers: { accept: '*/*' } })).status).toBe(200)
    expect((await root.json('POST', `/hub/users/${encoded}/unauthorise`)).status).toBe(200)
    expect((await root.form(`/hub/discard/${encoded}`, {}, '/hub/authorize')).status).toBe(303)
    expect(await site.auth.accounts.get('ren\u00e9')).toBeUndefined()
  })

  test('keep the form that was typed, for display', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const account = await site.auth.accounts.create({ username: 'Ådne', password: 'staple battery 3' })
    expect([account.username, account.displayName]).toEqual(['ådne', 'Ådne'])
  })

  test('with what misleads, hides or breaks a path are refused (S16)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    for (const [what, username] of FORBIDDEN) {
      const body = { username, password: 'staple battery 3' }
      const response = await site.browser().json('POST', '/hub/users/register', body)
      const { code, detail } = (await response.json()) as { code: string; detail: { loc: string[] }[] }
      const answer = [what, response.status, code, detail[0]?.loc]
      expect(answer).toEqual([what, 422, 'NATIVE_AUTH_INVALID_INPUT', ['body', 'username']])
      // What comes back is safe to print.
      expect(JSON.stringify(detail)).not.toMatch(/\p{C}/u)
    }
    expect((await site.auth.accounts.list()).total).toBe(2)
  })

  test('of several alphabets are refused on demand (S16)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { refuseMixedScripts: true })
    const register = async (username: string) =>
      (await site.browser().json('POST', '/hub/users/register', { username, password: 'staple battery 3' })).status
    // The second letter of the first one is Cyrillic.
    expect([await register('p\u0430ypal'), await register('анна'), await register('anna-2')]).toEqual([422, 201, 201])
  })

  test('that the database holds in spite of all render as text (S26)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const name = `<script>alert('x')</script>`
    await sql`update native_auth_accounts set username = ${name}, display_name = ${name}, blocked_reason = ${name}, email = ${name}, is_blocked = 1 where username = 'ann'`.execute(
      database.db,
    )
    const root = await site.loggedIn(ADMIN)
    for (const path of ['/hub/authorize', `/hub/authorize?search=${encodeURIComponent(name)}`]) {
      const response = await root.get(path)
      const text = await response.text()
      expect(text).not.toContain('<script')
      expect(text).toContain('&lt;script&gt;')
      expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
    }
  })
})

test.each([
  'john',
  'john@john',
  'a@b.',
  'a@b.c',
  'a b@example.org',
  'a@example.org\nx',
  '@example.org',
  'a@-x.org',
  'a..b@example.org',
])('the e-mail address %j is refused (S25)', (text) => {
  expect(() => parseEmail(text)).toThrow('e-mail')
})

test.each([
  [" o'neil@Example.ORG\n", "o'neil@example.org"],
  ['Jörg@bücher.example', 'Jörg@bücher.example'],
  ['a.b+c@sub.example.org', 'a.b+c@sub.example.org'],
])('the e-mail address %j is kept as %j (S25)', (text, kept) => {
  expect(parseEmail(text)).toBe(kept)
})
