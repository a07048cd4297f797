import { describe, expect, test } from 'vitest'

import { createNativeAuth, profileFields } from '../src/index.ts'
import { nodeRsHasher } from '../src/node-rs.ts'
import { Browser } from './support/browser.ts'
import { ascending } from './support/ascending.ts'
import { databases } from './support/databases.ts'
import { SECRET } from './support/site.ts'

const SECRET_PASSWORD = 'hunter2 and a half'
const VALID = { username: 'bob', password: SECRET_PASSWORD, fullname: 'Bob Example' }

describe.each(databases)('POST /users/register on %s', (_, createDatabase) => {
  async function open(database: Awaited<ReturnType<typeof createDatabase>>) {
    const errors: unknown[] = []
    const auth = createNativeAuth({
      db: database.db,
      secret: SECRET,
      basePath: '',
      profile: profileFields({ fullname: { label: 'Full name', required: true } }),
      passwords: { hasher: nodeRsHasher() },
      onError: (error) => errors.push(error),
    })
    await auth.migrate()
    return { auth, errors, browser: new Browser(auth) }
  }

  test('answers a valid body with 201 and the user, without the password; unknown fields are dropped', async () => {
    await using database = await createDatabase()
    const { auth, browser } = await open(database)
    const body = { ...VALID, is_admin: true, is_authorised: true, id: 99, isAuthorised: true }
    const response = await browser.json('POST', '/users/register', body)
    expect(response.status).toBe(201)
    expect(await response.json()).toEqual({ id: 1, username: 'bob', fullname: 'Bob Example' })
    expect(await auth.accounts.get('bob')).toMatchObject({
      isAdmin: false,
      isAuthorised: false,
      profile: { fullname: 'Bob Example' },
    })
  })

  test('answers a bad body with 422, where and why, and never repeats a password', async () => {
    await using database = await createDatabase()
    const { auth, browser, errors } = await open(database)
    const json = { 'content-type': 'application/json' }
    const cases: [string, string | undefined, Record<string, string>, (string | number)[][], string[]][] = [
      ['no body', undefined, json, [['body']], ['missing']],
      ['null', 'null', json, [['body']], ['missing']],
      [
        'an empty object',
        '{}',
        json,
        [
          ['body', 'username'],
          ['body', 'password'],
        ],
        ['missing', 'missing'],
      ],
      ['an array', '[1]', json, [['body']], ['model_attributes_type']],
      ['a text', JSON.stringify(SECRET_PASSWORD), json, [['body']], ['model_attributes_type']],
      ['broken JSON', `{"password":"${SECRET_PASSWORD}"`, json, [['body']], ['json_invalid']],
      [
        'a number for a password',
        JSON.stringify({ ...VALID, password: 123_456_789 }),
        json,
        [['body', 'password']],
        ['string_type'],
      ],
      [
        'an object for a name',
        JSON.stringify({ ...VALID, username: { $gt: '' } }),
        json,
        [['body', 'username']],
        ['string_type'],
      ],
      ['null for a name', JSON.stringify({ ...VALID, username: null }), json, [['body', 'username']], ['string_type']],
      ['a short password', JSON.stringify({ ...VALID, password: 'a7$' }), json, [['body', 'password']], ['too_short']],
      ['no full name', JSON.stringify({ ...VALID, fullname: undefined }), json, [['body', 'fullname']], ['missing']],
      ['an empty full name', JSON.stringify({ ...VALID, fullname: ' ' }), json, [['body', 'fullname']], ['profile']],
      ['a list of names', JSON.stringify({ ...VALID, fullname: ['x'] }), json, [['body', 'fullname']], ['profile']],
      [
        'a form',
        new URLSearchParams(VALID).toString(),
        { 'content-type': 'application/x-www-form-urlencoded' },
        [['body']],
        ['model_attributes_type'],
      ],
      ['plain text', JSON.stringify(VALID), { 'content-type': 'text/plain' }, [['body']], ['model_attributes_type']],
      ['no type', JSON.stringify(VALID), { 'content-type': '' }, [['body']], ['model_attributes_type']],
    ]
    for (const [name, body, headers, locs, types] of cases) {
      const init = { headers, ...(body === undefined ? {} : { body }) }
      const response = await browser.send('POST', '/users/register', init)
      const text = await response.text()
      const answer = JSON.parse(text) as { code: string; detail: { loc: unknown; type: string; msg: string }[] }
      expect([name, response.status, answer.code]).toEqual([name, 422, 'NATIVE_AUTH_INVALID_INPUT'])
      expect([name, answer.detail.map(({ loc }) => loc)]).toEqual([name, locs])
      expect([name, answer.detail.map(({ type }) => type)]).toEqual([name, types])
      expect(answer.detail.every(({ msg }) => msg.length > 0)).toBe(true)
      expect(text).not.toMatch(/hunter2|123456789|a7\$/)
    }
    expect((await auth.accounts.list()).total).toBe(0)
    expect(errors).toEqual([])
  })

  test('answers bytes that are no UTF-8, and too many of them, without hashing (S17)', async () => {
    await using database = await createDatabase()
    const { auth } = await open(database)
    const post = (body: string | Buffer, headers: Record<string, string> = {}) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }
      return auth.handler(new Request('https://hub.example.org/users/register', init))
    }
    expect((await post(Buffer.from('{"username":"\xff"}', 'latin1'))).status).toBe(422)
    const large = JSON.stringify({ ...VALID, password: 'x'.repeat(1_000_000) })
    expect((await post(large)).status).toBe(413)
    expect((await post(large, { 'content-length': '10' })).status).toBe(413)
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(8192).fill(32))
      },
    })
    const endless = new Request('https://hub.example.org/users/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect((await auth.handler(endless)).status).toBe(413)
    const deep = `${'['.repeat(8000)}${']'.repeat(8000)}`
    expect((await post(deep)).status).toBe(422)
    expect((await post(`{"__proto__":{"username":"x"},"constructor":1}`)).status).toBe(422)
  })

  test('answers a name that is there with 409 and one row, also twice at once', async () => {
    await using database = await createDatabase()
    const { auth, browser } = await open(database)
    const both = await Promise.all([
      browser.json('POST', '/users/register', VALID),
      browser.json('POST', '/users/register', { ...VALID, username: 'BOB' }),
    ])
    expect(ascending(both.map(({ status }) => status))).toEqual([201, 409])
    const again = await browser.json('POST', '/users/register', VALID)
    expect([again.status, await again.json()]).toEqual([
      409,
      { detail: 'This username is taken', code: 'NATIVE_AUTH_USERNAME_TAKEN' },
    ])
    expect((await auth.accounts.list()).total).toBe(1)
  })

  test('answers other verbs with 405 and what is allowed; other paths with 404', async () => {
    await using database = await createDatabase()
    const { browser } = await open(database)
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
      const response = await browser.send(method, '/users/register')
      expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, 'POST'])
      const text = await response.text()
      expect(text).toBe(
        method === 'HEAD' ? '' : '{"detail":"Method Not Allowed","code":"NATIVE_AUTH_METHOD_NOT_ALLOWED"}',
      )
    }
    for (const path of ['/users/register/x', '/nothing', '/users%2Fregister', '/%E0%A4%A', '/users/register/']) {
      expect([path, (await browser.json('POST', path, VALID)).status]).toEqual([path, 404])
    }
  })

  test('takes any Standard Schema for the profile', async () => {
    await using database = await createDatabase()
    const auth = createNativeAuth({
      db: database.db,
      secret: SECRET,
      passwords: { hasher: nodeRsHasher() },
      profile: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: async (value) => {
            const { age } = value as { age?: number }
            return typeof age === 'number'
              ? { value: { age } }
              : { issues: [{ message: 'Give a number', path: [{ key: 'age' }] }] }
          },
        },
      },
    })
    await auth.migrate()
    const browser = new Browser(auth)
    const bad = await browser.json('POST', '/auth/users/register', VALID)
    expect(await bad.json()).toMatchObject({
      detail: [{ loc: ['body', 'age'], type: 'missing', msg: 'Give a number' }],
    })
    const good = await browser.json('POST', '/auth/users/register', { ...VALID, age: 7 })
    expect(await good.json()).toEqual({ id: 1, username: 'bob', age: 7 })
  })
})
