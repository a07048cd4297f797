import { describe, expect, test } from 'vitest'

import { safeNext } from '../src/http/next.ts'
import { databases } from './support/databases.ts'
import { ADMIN, ANN, openSite, TestSite } from './support/site.ts'

const OWN = 'https://hub.example.org'
const FORM = 'application/x-www-form-urlencoded'

/** Headers that browsers send, and whether a request with them may change anything. */
const MATRIX: [Record<string, string>, boolean][] = [
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  [{ 'sec-fetch-site': 'same-site', origin: 'https://evil.hub.example.org' }, false],
  [{ 'sec-fetch-site': 'cross-site', origin: 'null' }, false],
  [{ origin: OWN }, true],
  [{ origin: 'https://evil.example' }, false],
  [{ origin: 'null' }, false],
  [{ origin: 'http://hub.example.org' }, false],
  // An old browser sends neither; with its cookie that is not enough.
  [{ origin: '' }, false],
]

describe.each(databases)('requests from elsewhere on %s', (_, createDatabase) => {
  test('change nothing, whatever the route (S14)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { origins: [OWN] })
    const root = await site.loggedIn(ADMIN)
    await site.auth.signUp({ username: 'pending', password: 'a password of three' })
    const before = await database.dump()
    const routes: [string, string, string | undefined][] = [
      ['POST', '/hub/login', 'application/json'],
      ['POST', '/hub/login', FORM],
      ['POST', '/hub/signup', FORM],
      ['POST', '/hub/users/register', 'application/json'],
      ['POST', '/hub/logout', undefined],
      ['POST', '/hub/users/pending/authorise', undefined],
      ['POST', '/hub/authorize/pending', FORM],
      ['POST', '/hub/discard/pending', FORM],
      ['DELETE', '/hub/users/pending', undefined],
      ['DELETE', '/hub/sessions', undefined],
    ]
    for (const [headers] of MATRIX.filter(([, allowed]) => !allowed)) {
      for (const [method, path, type] of routes) {
        const body = type === undefined ? {} : { body: type === FORM ? 'action=authorise' : '{}' }
        const response = await root.send(method, path, {
          headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
          ...body,
        })
        expect([method, path, headers, response.status]).toEqual([method, path, headers, 403])
      }
    }
    expect(await database.dump()).toBe(before)
  })

  test('are told apart by Sec-Fetch-Site, then Origin (S14)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { origins: [OWN] })
    for (const [headers, allowed] of MATRIX) {
      const ann = await site.loggedIn(ANN)
      const { status } = await ann.send('POST', '/hub/logout', { headers })
      expect([headers, status]).toEqual([headers, allowed ? 204 : 403])
    }
    // Programs send neither header: a bearer token or no cookie at all is fine.
    const { token } = await site.auth.authenticate(ANN)
    const send = (headers: Record<string, string>) =>
      site.auth.handler(new Request(`${OWN}/hub/logout`, { method: 'POST', headers }))
    expect((await send({})).status).toBe(204)
    expect((await send({ authorization: `Bearer ${token}` })).status).toBe(204)
    expect((await send({ cookie: `__Host-native-auth-session=${token}` })).status).toBe(403)
  })

  test('by GET or HEAD change nothing on any path (S14)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { mail: () => Promise.resolve(), origins: [OWN] })
    const root = await site.loggedIn(ADMIN)
    await site.auth.signUp({ username: 'pending', password: 'a password of three' })
    const { path } = await site.auth.links.createReset('pending')
    const before = await database.dump()
    const paths = ['login', 'signup', 'logout', 'authorize', 'authorize/pending', 'discard/pending', 'confirm/x']
    const more = ['change-password', 'change-password/pending', 'me', 'sessions', 'users', 'users/pending', 'audit']
    for (const one of [...paths, ...more, 'account', 'second-factor', 'forgot-password']
      .map((p) => `/hub/${p}`)
      .concat(path)) {
      for (const method of ['GET', 'HEAD']) {
        const response = await root.send(method, one, { headers: { accept: 'text/html' } })
        expect(response.status).toBeLessThan(500)
        expect([method, (await response.text()) === '']).toEqual([method, method === 'HEAD' || response.status === 303])
      }
    }
    expect(await database.dump()).toBe(before)
  })

  test('by a form need the hidden token of this browser, login and sign-up included (S14)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    const other = site.browser()
    const stolen = /name="_xsrf" value="([^"]+)"/.exec(await (await other.get('/hub/login')).text())?.[1] ?? ''
    const browser = site.browser()
    await browser.get('/hub/login')
    for (const _xsrf of [stolen, '', 'x']) {
      const response = await browser.send('POST', '/hub/login', {
        headers: { 'content-type': FORM, accept: 'text/html' },
        body: new URLSearchParams({ ...ANN, _xsrf }).toString(),
      })
      expect(response.status).toBe(403)
    }
    expect((await browser.form('/hub/login', ANN)).status).toBe(303)
    // The token from before the login is not the one of the session.
    const late = await browser.send('POST', '/hub/logout', {
      headers: { 'content-type': FORM },
      body: new URLSearchParams({ _xsrf: stolen }).toString(),
    })
    expect(late.status).toBe(403)
  })

  test('as forms or plain text are refused by JSON routes (S14)', async () => {
    await using database = await createDatabase()
    const site = await openSite(database)
    for (const type of [FORM, 'text/plain', 'multipart/form-data; boundary=x']) {
      const response = await site.browser().send('POST', '/hub/users/register', {
        headers: { 'content-type': type },
        body: JSON.stringify({ username: 'bob', password: 'a password of three' }),
      })
      expect([type, response.status]).toEqual([type, 422])
    }
  })

  test('lead back to a path of this site after a login, never elsewhere (S15)', async () => {
    await using database = await createDatabase()
    const site = new TestSite(database, {})
    await site.auth.migrate()
    await site.auth.accounts.create(ANN)
    for (const next of ['//evil.example', 'https:evil.example', '/hub/spawn']) {
      const response = await site.browser().form('/hub/login', { ...ANN, next })
      expect(response.headers.get('location')).toBe(next === '/hub/spawn' ? next : '/hub/account')
    }
  })
})

test.each([
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  'https:evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  '%2f%2fevil.example',
  '/%2f/evil.example',
  '/%5cevil.example',
  '/ok\r\nSet-Cookie: a=b',
  '/ok%0d%0aSet-Cookie:a=b',
  '/\t/evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  '',
  'relative',
  `/${'x'.repeat(3000)}`,
])('a return target like %j becomes the default page (S15)', (next) => {
  expect(safeNext(next, '/home')).toBe('/home')
})

test.each([
  ['/', '/'],
  ['/hub/user/ann%2Fb/lab?reset=1#top', '/hub/user/ann%2Fb/lab?reset=1#top'],
  ['/hub/ümlaut', '/hub/%C3%BCmlaut'],
])('a return target like %j stays', (next, kept) => {
  expect(safeNext(next, '/home')).toBe(kept)
})
