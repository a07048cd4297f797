import { describe, expect, test } from 'vitest'

import type { NativeAuthOptions } from '../src/index.ts'
import type { Browser } from './support/browser.ts'
import { databases, type TestDatabase } from './support/databases.ts'
import { letterBox } from './support/letter-box.ts'
import { ADMIN, ANN, openSite, type TestSite } from './support/site.ts'

const GOOD = 'a long sentence 1'

/** Routes of the model: who asks, and what comes. */
interface Visitors {
  readonly site: TestSite
  readonly anybody: Browser
  readonly ann: Browser
  readonly root: Browser
}

type Options = Partial<NativeAuthOptions<unknown, Record<string, never>>>

const MATCH = { new_password: 'a new sentence 2', new_password_confirmation: 'a new sentence 2' }
const DIFFER = { ...MATCH, new_password_confirmation: 'another one' }
const NEW = { username: 'new', signup_password: GOOD, signup_password_confirmation: GOOD }
const SHORT = { new_password: 'q7$', new_password_confirmation: 'q7$' }

type Tail = [send: (by: Visitors) => Promise<Response>, status: number, says: string | RegExp]

/** Where a redirection leads, as its text. */
const moved = (response: Response) => new Response(response.headers.get('location'), response)

const ROUTES: [name: string, ...rest: Tail][] = [
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
  [
    'POST /login, on to the checked `next`',
    async ({ anybody }) => moved(await anybody.form('/hub/login', { ...ANN, next: '/hub/spawn' })),
    303,
    /^\/hub\/spawn$/,
  ],
  [
    'POST /login, never on to another site',
    async ({ anybody }) => moved(await anybody.form('/hub/login', { ...ANN, next: '//evil.example/' })),
    303,
    /^\/hub\/account$/,
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
    ({ anybody }) => anybody.form('/hub/signup', NEW),
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
  [
    'a deleted user of the hub: accounts.remove takes the row away',
    async ({ site, anybody }) => {
      await site.auth.accounts.remove('ann')
      return anybody.form('/hub/login', ANN)
    },
    401,
    'Invalid username or password',
  ],
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

const box = letterBox()
const SELF: Options = {
  signUp: { selfApproval: /.*@example\.org/ },
  mail: box.mail,
  origins: ['https://hub.example.org'],
}

/** Signs up where a link is mailed, and gives its path. */
async function mailedPath(by: Browser): Promise<string> {
  const response = await by.form('/hub/signup', { ...NEW, email: 'new@example.org' })
  if (response.status !== 201) throw new Error(`Not signed up: ${response.status}`)
  return new URL(await box.next()).pathname
}

/** Routes whose answer an option decides. */
const WITH_OPTIONS: [name: string, options: Options, ...rest: Tail][] = [
  ['GET /signup, switched off', { signUp: { enabled: false } }, ({ anybody }) => anybody.get('/hub/signup'), 404, ''],
  [
    'POST /signup, switched off',
    { signUp: { enabled: false } },
    ({ anybody }) => anybody.form('/hub/signup', NEW, '/hub/login'),
    404,
    '',
  ],
  [
    'POST /signup: captcha failed before name taken',
    { signUp: { captcha: () => Promise.resolve(false) } },
    ({ anybody }) => anybody.form('/hub/signup', { ...NEW, username: 'ann', captcha: 'x' }),
    422,
    'captcha was not solved',
  ],
  [
    'POST /signup: ready to log in',
    { signUp: { open: true } },
    ({ anybody }) => anybody.form('/hub/signup', NEW),
    201,
    'new is ready: log in',
  ],
  [
    'POST /signup: check your mail',
    SELF,
    ({ anybody }) => anybody.form('/hub/signup', { ...NEW, email: 'new@example.org' }),
    201,
    'Open the link in it within 15 minutes',
  ],
  [
    'GET /confirm/{slug} shows a button, and authorises nobody',
    SELF,
    async ({ anybody }) => {
      const path = await mailedPath(anybody)
      await anybody.get(path)
      const login = await anybody.form('/hub/login', { username: 'new', password: GOOD })
      return login.status === 403 ? anybody.get(path) : login
    },
    200,
    'One press, and your account is ready',
  ],
  [
    'POST /confirm/{slug} authorises',
    SELF,
    async ({ anybody }) => {
      const path = await mailedPath(anybody)
      const answer = await anybody.form(path, {})
      const login = await anybody.form('/hub/login', { username: 'new', password: GOOD })
      return login.status === 303 ? answer : login
    },
    200,
    'new is ready: log in',
  ],
  [
    'POST /confirm/{slug}, a second time',
    SELF,
    async ({ anybody }) => {
      const path = await mailedPath(anybody)
      await anybody.form(path, {})
      return anybody.form(path, {}, '/hub/login')
    },
    410,
    'used up or too old',
  ],
  [
    'GET /confirm/{slug}, after 15 minutes',
    SELF,
    async ({ anybody, site }) => {
      const path = await mailedPath(anybody)
      site.clock.pass(901)
      return anybody.get(path)
    },
    410,
    'used up or too old',
  ],
  [
    'GET /confirm/{slug}, of a user deleted meanwhile',
    SELF,
    async ({ anybody, site }) => {
      const path = await mailedPath(anybody)
      await site.auth.accounts.remove('new')
      return anybody.get(path)
    },
    410,
    'used up or too old',
  ],
]

describe.each(databases)('routes of the model on %s', (_, createDatabase) => {
  async function visitors(database: TestDatabase, options: Options = {}): Promise<Visitors> {
    const site = await openSite(database, { lockout: { failures: 0 }, ...options })
    await site.auth.accounts.create({ username: 'pending', password: GOOD })
    await site.auth.accounts.unauthorise('pending')
    return { site, anybody: site.browser(), ann: await site.loggedIn(ANN), root: await site.loggedIn(ADMIN) }
  }

  async function check(by: Visitors, ...[send, status, says]: Tail): Promise<void> {
    const response = await send(by)
    const text = await response.text()
    expect([response.status, text]).toEqual([status, expect.stringMatching(says)])
    expect(text).not.toMatch(/argon2|sentence|staple/)
    expect(response.headers.get('cache-control')).toBe('no-store')
  }

  test.each(ROUTES)('%s', async (_name, ...rest) => {
    await using database = await createDatabase()
    await check(await visitors(database), ...rest)
  })

  test.each(WITH_OPTIONS)('%s', async (_name, options, ...rest) => {
    await using database = await createDatabase()
    await check(await visitors(database, options), ...rest)
  })
})
