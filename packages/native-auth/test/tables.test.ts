import { describe, expect, test } from 'vitest'

import type { NativeAuthOptions } from '../src/index.ts'
import type { Browser } from './support/browser.ts'
import { databases, type TestDatabase } from './support/databases.ts'
import { ADMIN, ANN, openSite, type TestSite } from './support/site.ts'

type Options = Partial<NativeAuthOptions<unknown, Record<string, never>>>

const GOOD = 'a long sentence 1'

/** Signs up over the form and tells status and text of the page. */
async function signUp(site: TestSite, fields: Record<string, string>): Promise<[number, string]> {
  const response = await site.browser().form('/hub/signup', {
    username: 'bob',
    signup_password: GOOD,
    signup_password_confirmation: GOOD,
    ...fields,
  })
  return [response.status, await response.text()]
}

const state = async (site: TestSite, name: string) => {
  const account = await site.auth.accounts.get(name)
  return account === undefined ? 'absent' : account.isAuthorised ? 'authorised' : 'pending'
}

/** Options of the model under our names, and what each makes visible. */
const OPTIONS: [name: string, options: Options, check: (site: TestSite) => Promise<void>][] = [
  [
    'minimum_password_length → passwords.minLength, equality accepted',
    { passwords: { preset: 'compat', minLength: 3 } },
    async (site) => {
      expect((await signUp(site, { signup_password: 'ab', signup_password_confirmation: 'ab' }))[0]).toBe(422)
      expect((await signUp(site, { signup_password: 'abc', signup_password_confirmation: 'abc' }))[0]).toBe(201)
    },
  ],
  [
    'minimum_password_length: the documented 1 is the real one; empty is refused',
    { passwords: { preset: 'compat' } },
    async (site) => {
      expect((await signUp(site, { signup_password: '', signup_password_confirmation: '' }))[0]).toBe(422)
      expect((await signUp(site, { signup_password: 'x', signup_password_confirmation: 'x' }))[0]).toBe(201)
    },
  ],
  [
    'check_common_password → passwords.refuseCommon',
    { passwords: { preset: 'compat', refuseCommon: true } },
    async (site) => {
      const common = { signup_password: 'iloveyou', signup_password_confirmation: 'iloveyou' }
      expect(await signUp(site, common)).toEqual([422, expect.stringContaining('first that attackers try')])
    },
  ],
  [
    'allowed_failed_logins, seconds_before_next_try → lockout.failures, lockout.seconds',
    { lockout: { failures: 2, seconds: 30 } },
    async (site) => {
      const login = async (password: string) => (await site.browser().form('/hub/login', { ...ANN, password })).status
      expect([await login('x'), await login('x'), await login(ANN.password)]).toEqual([401, 401, 401])
      site.clock.pass(31)
      expect(await login(ANN.password)).toBe(303)
    },
  ],
  [
    'enable_signup → signUp.enabled',
    { signUp: { enabled: false } },
    async (site) => {
      const browser = site.browser()
      expect((await browser.get('/hub/signup')).status).toBe(404)
      expect((await browser.form('/hub/signup', {}, '/hub/login')).status).toBe(404)
      expect((await browser.json('POST', '/hub/users/register', { username: 'bob', password: GOOD })).status).toBe(404)
      expect(await (await browser.get('/hub/login')).text()).not.toContain('/hub/signup')
    },
  ],
  [
    'open_signup → signUp.open',
    { signUp: { open: true } },
    async (site) => {
      expect(await signUp(site, {})).toEqual([201, expect.stringContaining('ready')])
      expect(await state(site, 'bob')).toBe('authorised')
    },
  ],
  [
    'ask_email_on_signup → signUp.askEmail, required by the server too',
    { signUp: { askEmail: true } },
    async (site) => {
      expect((await signUp(site, {}))[0]).toBe(422)
      expect((await signUp(site, { email: 'bob@example.org' }))[0]).toBe(201)
      const root = await site.loggedIn(ADMIN)
      expect(await (await root.get('/hub/authorize')).text()).toContain('bob@example.org')
    },
  ],
  [
    'allow_2fa → secondFactor: a posted field changes nothing when it is off',
    { secondFactor: 'off' },
    async (site) => {
      await signUp(site, { '2fa': 'on' })
      expect(await site.auth.accounts.get('bob')).toMatchObject({ hasSecondFactor: false })
    },
  ],
  [
    'tos → signUp.termsHtml, enforced and recorded',
    { signUp: { termsHtml: 'I read the <a href="/terms">terms</a>' } },
    async (site) => {
      expect((await signUp(site, {}))[0]).toBe(422)
      expect((await signUp(site, { terms: 'yes' }))[0]).toBe(201)
      expect(await (await site.browser().get('/hub/signup')).text()).toContain('<a href="/terms">terms</a>')
    },
  ],
  [
    'recaptcha_key, recaptcha_secret → signUp.captcha, pages.captchaHtml',
    {
      signUp: { captcha: (answer) => Promise.resolve(answer === 'right'), captchaField: 'g-recaptcha-response' },
      pages: { captchaHtml: '<div class="puzzle"></div>' },
    },
    async (site) => {
      expect((await signUp(site, {}))[0]).toBe(422)
      expect(await signUp(site, { 'g-recaptcha-response': 'wrong', username: 'ann' })).toEqual([
        422,
        expect.stringContaining('captcha was not solved'),
      ])
      expect((await signUp(site, { 'g-recaptcha-response': 'right' }))[0]).toBe(201)
      expect(await (await site.browser().get('/hub/signup')).text()).toContain('<div class="puzzle">')
      const json = { username: 'carl', password: GOOD, 'g-recaptcha-response': 'right' }
      expect((await site.browser().json('POST', '/hub/users/register', json)).status).toBe(201)
    },
  ],
  [
    'admin_users → adminUsers with adminToken; allowed_users → allowedUsers',
    { adminUsers: ['Boss'], adminToken: 'sixteen letters and more', allowedUsers: ['BOB'] },
    async (site) => {
      await signUp(site, {})
      expect(await state(site, 'bob')).toBe('authorised')
      expect((await signUp(site, { username: 'boss' }))[0]).toBe(403)
      expect((await signUp(site, { username: 'boss', admin_token: 'sixteen letters and more' }))[0]).toBe(201)
      expect(await site.auth.accounts.get('boss')).toMatchObject({ isAdmin: true })
      expect(await (await site.browser().get('/hub/signup')).text()).toContain('name="admin_token"')
    },
  ],
  [
    'blocked_users → blockedUsers',
    { blockedUsers: ['ANN', 'bob'] },
    async (site) => {
      expect((await site.browser().form('/hub/login', ANN)).status).toBe(401)
      expect((await signUp(site, {}))[0]).toBe(403)
    },
  ],
  [
    'username_pattern → usernamePattern, over the whole name; username_map → usernameMap',
    { usernamePattern: /[a-z]{3,4}/, usernameMap: { Robert: 'bob' } },
    async (site) => {
      expect((await signUp(site, { username: 'bobby' }))[0]).toBe(422)
      expect((await signUp(site, { username: 'ROBERT' }))[0]).toBe(201)
      expect(await state(site, 'bob')).toBe('pending')
    },
  ],
]

/** Routes of the model: who asks, and what comes. */
interface Visitors {
  readonly anybody: Browser
  readonly ann: Browser
  readonly root: Browser
}

const MATCH = { new_password: 'a new sentence 2', new_password_confirmation: 'a new sentence 2' }
const DIFFER = { ...MATCH, new_password_confirmation: 'another one' }
const SHORT = { new_password: 'q7$', new_password_confirmation: 'q7$' }

const ROUTES: [name: string, send: (by: Visitors) => Promise<Response>, status: number, says: string | RegExp][] = [
  ['GET /login', ({ anybody }) => anybody.get('/hub/login?next=/hub/spawn'), 200, /name="next" value="\/hub\/spawn"/],
  ['GET /login, logged in', ({ ann }) => ann.get('/hub/login'), 303, ''],
  ['POST /login', ({ anybody }) => anybody.form('/hub/login', ANN), 303, ''],
  ['POST /login without fields', ({ anybody }) => anybody.form('/hub/login', {}), 401, 'Invalid username or password'],
  [
    'POST /login with fields in the address only',
    ({ anybody }) => anybody.form('/hub/login?username=ann&password=staple%20battery%203', {}, '/hub/login'),
    401,
    'Invalid',
  ],
  [
    'POST /login, pending',
    ({ anybody }) => anybody.form('/hub/login', { username: 'pending', password: GOOD }),
    403,
    'pending is waiting to be authorised',
  ],
  ['GET /signup', ({ anybody }) => anybody.get('/hub/signup'), 200, 'name="signup_password_confirmation"'],
  ['POST /signup without fields', ({ anybody }) => anybody.form('/hub/signup', {}), 422, 'Choose a username'],
  [
    'POST /signup: name taken before confirmation differs',
    ({ anybody }) => anybody.form('/hub/signup', { username: 'ann', signup_password: GOOD }),
    409,
    'This username is taken',
  ],
  [
    'POST /signup: confirmation differs before a broken rule',
    ({ anybody }) => anybody.form('/hub/signup', { username: 'new', signup_password: 'x' }),
    422,
    'The two passwords differ',
  ],
  [
    'POST /signup: a broken rule, with the reason',
    ({ anybody }) =>
      anybody.form('/hub/signup', { username: 'new', signup_password: 'x', signup_password_confirmation: 'x' }),
    422,
    'at least 8 characters',
  ],
  [
    'POST /signup: waiting for an administrator',
    ({ anybody }) =>
      anybody.form('/hub/signup', { username: 'new', signup_password: GOOD, signup_password_confirmation: GOOD }),
    201,
    'An administrator now has to authorise',
  ],
  ['GET /authorize, anonymous', ({ anybody }) => anybody.get('/hub/authorize'), 403, 'for administrators'],
  ['GET /authorize, not an administrator', ({ ann }) => ann.get('/hub/authorize'), 403, 'for administrators'],
  ['GET /authorize', ({ root }) => root.get('/hub/authorize'), 200, 'waiting'],
  [
    'GET /authorize/{name} shows, and toggles nothing',
    ({ root }) => root.get('/hub/authorize/PENDING'),
    200,
    'waiting',
  ],
  ['GET /authorize/{name}, unknown', ({ root }) => root.get('/hub/authorize/nobody'), 404, 'no such account'],
  [
    'POST /authorize/{name}',
    ({ root }) => root.form('/hub/authorize/PENDING', { action: 'authorise' }, '/hub/authorize'),
    303,
    '',
  ],
  [
    'POST /authorize/{name}, unknown',
    ({ root }) => root.form('/hub/authorize/nobody', { action: 'authorise' }, '/hub/authorize'),
    404,
    'no such account',
  ],
  [
    'POST /authorize/{name} without action',
    ({ root }) => root.form('/hub/authorize/ann', {}, '/hub/authorize'),
    422,
    '',
  ],
  [
    'POST /authorize/{name}, not an administrator',
    ({ ann }) => ann.form('/hub/authorize/pending', { action: 'authorise' }, '/hub/account'),
    403,
    'for administrators',
  ],
  [
    'POST /authorize/{name}: a link instead of a chosen password',
    ({ root }) => root.form('/hub/authorize/ann', { action: 'link' }, '/hub/authorize'),
    200,
    /https:\/\/hub\.example\.org\/hub\/reset\/[\w-]{43}/,
  ],
  [
    'POST /authorize/{name}: block',
    ({ root }) => root.form('/hub/authorize/ann', { action: 'block', reason: 'rent', days: '3' }, '/hub/authorize'),
    303,
    '',
  ],
  ['POST /discard/{name}', ({ root }) => root.form('/hub/discard/Pending', {}, '/hub/authorize'), 303, ''],
  [
    'POST /discard/{name}, authorised',
    ({ root }) => root.form('/hub/discard/ann', {}, '/hub/authorize'),
    409,
    'Take back the authorisation',
  ],
  ['GET /discard/{name}', ({ root }) => root.get('/hub/discard/pending'), 405, ''],
  ['GET /confirm/{slug}, unknown', ({ anybody }) => anybody.get('/hub/confirm/unknown'), 410, 'used up or too old'],
  ['GET /change-password, anonymous', ({ anybody }) => anybody.get('/hub/change-password'), 303, ''],
  ['GET /change-password', ({ ann }) => ann.get('/hub/change-password'), 200, 'name="old_password"'],
  [
    'POST /change-password, anonymous',
    ({ anybody }) => anybody.form('/hub/change-password', MATCH, '/hub/login'),
    403,
    'Log in first',
  ],
  [
    'POST /change-password: wrong old password before confirmation differs',
    ({ ann }) => ann.form('/hub/change-password', { old_password: 'x', ...DIFFER }),
    422,
    'The current password is wrong',
  ],
  [
    'POST /change-password: confirmation differs before a broken rule',
    ({ ann }) =>
      ann.form('/hub/change-password', { old_password: ANN.password, ...SHORT, new_password_confirmation: '' }),
    422,
    'The two passwords differ',
  ],
  [
    'POST /change-password: a broken rule',
    ({ ann }) => ann.form('/hub/change-password', { old_password: ANN.password, ...SHORT }),
    422,
    'at least 8 characters',
  ],
  [
    'POST /change-password',
    ({ ann }) => ann.form('/hub/change-password', { old_password: ANN.password, ...MATCH }),
    200,
    'Password changed',
  ],
  ['GET /change-password/{name}', ({ root }) => root.get('/hub/change-password/ANN'), 200, 'Change password of ann'],
  ['GET /change-password/{name}, unknown', ({ root }) => root.get('/hub/change-password/nobody'), 404, ''],
  ['GET /change-password/{name}, not an administrator', ({ ann }) => ann.get('/hub/change-password/root'), 403, ''],
  [
    'POST /change-password/{name}: confirmation differs',
    ({ root }) => root.form('/hub/change-password/ann', DIFFER),
    422,
    'The two passwords differ',
  ],
  ['POST /change-password/{name}', ({ root }) => root.form('/hub/change-password/ann', MATCH), 200, 'sessions of ann'],
  [
    'POST /change-password/{name}, unknown',
    ({ root }) => root.form('/hub/change-password/nobody', MATCH, '/hub/authorize'),
    404,
    'no such account',
  ],
  ['GET /logout asks', ({ ann }) => ann.get('/hub/logout'), 200, 'End your session'],
]

describe.each(databases)('what the model does, on %s', (_, createDatabase) => {
  test.each(OPTIONS)('%s', async (_name, options, check) => {
    await using database = await createDatabase()
    await check(await openSite(database, options))
  })

  async function visitors(database: TestDatabase): Promise<Visitors> {
    const site = await openSite(database, { lockout: { failures: 0 } })
    await site.auth.signUp({ username: 'pending', password: GOOD })
    return { anybody: site.browser(), ann: await site.loggedIn(ANN), root: await site.loggedIn(ADMIN) }
  }

  test.each(ROUTES)('%s', async (_name, send, status, says) => {
    await using database = await createDatabase()
    const response = await send(await visitors(database))
    const text = await response.text()
    expect([response.status, text]).toEqual([status, expect.stringMatching(says)])
    expect(text).not.toMatch(/argon2|sentence|staple/)
    expect(response.headers.get('cache-control')).toBe('no-store')
  })
})
