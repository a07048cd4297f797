import { describe, expect, test } from 'vitest'

import { createNativeAuth } from '../src/index.ts'
import { databases } from './support/databases.ts'
import { ANN, openSite, SECRET, type TestSite } from './support/site.ts'

const [[, createDatabase]] = databases

/** Cookies that a login sets, each as `[name, ...attributes]` without value and age. */
async function written(site: TestSite): Promise<string[][]> {
  const response = await site.browser().form('/hub/login', ANN)
  expect(response.status).toBe(303)
  return response.headers.getSetCookie().map((line) => {
    const [pair = '', ...attributes] = line.split('; ')
    return [pair.split('=')[0] ?? '', ...attributes.filter((attribute) => !attribute.startsWith('Max-Age='))]
  })
}

const REST = ['HttpOnly', 'SameSite=Lax']

describe('cookies', () => {
  test.each([
    ['by default', {}, '__Host-native-auth-', ['Path=/', ...REST, 'Secure']],
    ['with a prefix', { cookies: { prefix: 'hub.' } }, '__Host-hub.', ['Path=/', ...REST, 'Secure']],
    ['with a path', { cookies: { path: '/hub/' } }, '__Secure-native-auth-', ['Path=/hub/', ...REST, 'Secure']],
    [
      'with both, over plain http',
      { cookies: { prefix: 'jupyterhub-hub-', path: '/hub' }, allowInsecureCookies: true },
      'jupyterhub-hub-',
      ['Path=/hub', ...REST],
    ],
  ])('%s keep the rules of their prefix', async (_, options, start, attributes) => {
    await using database = await createDatabase()
    const site = await openSite(database, options)
    expect(await written(site)).toEqual([
      [`${start}session`, ...attributes],
      [`${start}device`, ...attributes],
    ])
    // What is written is what is read: pages, forms and a log-out go on with the same names.
    const browser = await site.loggedIn(ANN)
    expect((await browser.get('/hub/me')).status).toBe(200)
    const out = await browser.form('/hub/logout', {})
    expect(out.headers.getSetCookie()).toEqual([`${start}session=; Max-Age=0; ${attributes.join('; ')}`])
    expect((await browser.get('/hub/me')).status).toBe(401)
  })

  test('of another prefix are not read', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { cookies: { prefix: 'hub-' } })
    const { token } = await site.auth.sessions.create('ann')
    const by = (cookie: string) => site.auth.sessions.fromRequest({ headers: new Headers({ cookie }) })
    expect(await by(`__Host-hub-session=${token}`)).toMatchObject({ account: { username: 'ann' } })
    for (const name of ['hub-session', '__Secure-hub-session', '__Host-native-auth-session']) {
      expect(await by(`${name}=${token}`)).toBeUndefined()
    }
  })

  test('a log-out of the application ends the session of its request, once', async () => {
    await using database = await createDatabase()
    const site = await openSite(database, { cookies: { prefix: 'hub-', path: '/hub/' } })
    const browser = await site.loggedIn(ANN)
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = new Headers({ cookie })
    const removal = '__Secure-hub-session=; Max-Age=0; Path=/hub/; HttpOnly; SameSite=Lax; Secure'
    expect(await site.auth.sessions.endFromRequest({ headers })).toBe(removal)
    expect((await browser.get('/hub/me')).status).toBe(401)
    expect(await site.auth.sessions.endFromRequest({ headers })).toBe(removal)
    expect(await site.auth.sessions.endFromRequest({ headers: new Headers() })).toBe(removal)
  })

  test.each([
    [{ prefix: '' }, /cookies\.prefix/],
    [{ prefix: 'a b' }, /cookies\.prefix/],
    [{ prefix: 'a;b' }, /cookies\.prefix/],
    [{ prefix: '__Host-a-' }, /cookies\.prefix/],
    [{ prefix: '__SECURE-a-' }, /cookies\.prefix/],
    [{ path: '' }, /cookies\.path/],
    [{ path: 'hub' }, /cookies\.path/],
    [{ path: '/hub/; Domain=example.org' }, /cookies\.path/],
    [{ path: '/hub\r\n' }, /cookies\.path/],
    // A browser would never send them to the pages.
    [{ path: '/other/' }, /to hold `basePath`/],
    [{ path: '/hu' }, /to hold `basePath`/],
    [{ path: '/hub/account/' }, /to hold `basePath`/],
  ])('%o is refused at the start', async (cookies, words) => {
    await using database = await createDatabase()
    const make = () => createNativeAuth({ db: database.db, secret: SECRET, basePath: '/hub', cookies })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(words)
  })
})
