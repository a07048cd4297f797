import { describe, expect, test } from 'vitest'

import { type NativeAuthOptions, readFirstUse } from '../src/index.ts'
import { databases, type TestDatabase } from './support/databases.ts'
import { letterBox } from './support/letter-box.ts'
import { ADMIN, ANN, openSite, TestSite } from './support/site.ts'

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

const box = letterBox()

/** Made by Python's bcrypt with gensalt(12), as FirstUseAuthenticator does. */
const CAROL = { password: 'first use secret', hash: '$2b$12$71N0D5Xh7vdkTY1kIpLa6uVnWCtQo/rRwe7.Fd5lV.pXsIGB.JhLS' }

/** Options of the model under our names, and what each makes visible. */
const OPTIONS: [
  name: string,
  options: Options,
  check: (site: TestSite, database: TestDatabase) => void | Promise<void>,
][] = [
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
    'signUp.open as a function → whom it accepts, by the name as it is kept',
    { signUp: { open: (username) => Promise.resolve(username === 'bob') } },
    async (site) => {
      expect(await signUp(site, { username: 'BOB' })).toEqual([201, expect.stringContaining('ready')])
      expect(await state(site, 'bob')).toBe('authorised')
      expect((await signUp(site, { username: 'eve' }))[0]).toBe(201)
      expect(await state(site, 'eve')).toBe('pending')
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
    'allow_self_approval_for, self_approval_email, self_approval_server → signUp.selfApproval, mail, origins',
    { signUp: { selfApproval: /[\w.]+@example\.org/ }, mail: box.mail, origins: ['https://hub.example.org'] },
    async (site) => {
      // Forces the address; matches the whole of it; one that does not match waits for an administrator.
      expect((await signUp(site, {}))[0]).toBe(422)
      const far = { username: 'eve', email: 'eve@example.org.evil.net' }
      expect(await signUp(site, far)).toEqual([201, expect.stringContaining('An administrator now has to authorise')])
      expect(await signUp(site, { email: 'bob@example.org' })).toEqual([201, expect.stringContaining('your mail')])
      const link = new URL(await box.next())
      expect(link.origin).toBe('https://hub.example.org')
      expect([await state(site, 'bob'), await state(site, 'eve')]).toEqual(['pending', 'pending'])
      expect((await site.browser().form(link.pathname, {})).status).toBe(200)
      expect(await state(site, 'bob')).toBe('authorised')
      // Once, and then no more: it cannot undo what an administrator does later.
      await site.auth.accounts.unauthorise('bob')
      expect((await site.browser().form(link.pathname, {}, '/hub/login')).status).toBe(410)
      expect(await state(site, 'bob')).toBe('pending')
    },
  ],
  [
    'self_approval_server that fails: 503, and no account is stored',
    {
      signUp: { selfApproval: /.*@example\.org/ },
      mail: () => Promise.reject(new Error('no route to the mail server')),
      origins: ['https://hub.example.org'],
    },
    async (site) => {
      expect((await signUp(site, { email: 'bob@example.org' }))[0]).toBe(503)
      expect(await state(site, 'bob')).toBe('absent')
    },
  ],
  [
    'secret_key → secret, of 32 characters or more',
    {},
    (_site, database) => {
      const make = (secret: string) => () => new TestSite(database, { secret })
      expect(make('x'.repeat(31))).toThrow(/secret.*32 characters/)
      expect(make('x'.repeat(32))).not.toThrow()
    },
  ],
  [
    'import_from_firstuse, firstuse_db_path, delete_firstuse_db_after_import → importAccounts(readFirstUse(…))',
    {},
    async (site) => {
      const source = JSON.stringify({ Carol: CAROL.hash, 'bad name': CAROL.hash, ann: CAROL.hash })
      const report = await site.auth.importAccounts(readFirstUse(source))
      // The model stops at the first refusal; here it is told by its line, and who is there stays as she is.
      expect(report).toMatchObject({ imported: 1, present: 1, problems: [{ line: 2, outcome: 'skipped' }] })
      expect(await state(site, 'carol')).toBe('authorised')
      const login = async (password: string) =>
        (await site.browser().form('/hub/login', { username: 'carol', password })).status
      // The model hashes the hash once more: the hash then logs in, the password does not.
      expect([await login(CAROL.hash), await login(CAROL.password), await login(CAROL.password)]).toEqual([
        401, 303, 303,
      ])
      expect((await site.browser().form('/hub/login', ANN)).status).toBe(303)
    },
  ],
  [
    'allow_all: not needed, authorised is allowed',
    {},
    async (site) => {
      await signUp(site, {})
      await site.auth.accounts.authorise('bob')
      expect((await site.browser().form('/hub/login', { username: 'bob', password: GOOD })).status).toBe(303)
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

describe.each(databases)('options of the model on %s', (_, createDatabase) => {
  test.each(OPTIONS)('%s', async (_name, options, check) => {
    await using database = await createDatabase()
    await check(await openSite(database, options), database)
  })
})
