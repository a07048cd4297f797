import { describe, expect, test, vi } from 'vitest'

import { createNativeAuth } from '../src/index.ts'
import { nodeRsHasher } from '../src/node-rs.ts'
import { Browser } from './support/browser.ts'
import { databases } from './support/databases.ts'
import { ANN, openSite, SECRET, TestSite } from './support/site.ts'

describe.each(databases)('when things go wrong on %s', (_, createDatabase) => {
  test('a database that fails is a 500 without a trace of what was asked, in page, body or log (S26)', async () => {
    await using database = await createDatabase()
    const written = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
    // No tables: each statement fails.
    const auth = createNativeAuth({ db: database.db, secret: SECRET, basePath: '/hub' })
    const browser = new Browser(auth)
    const json = await browser.json('POST', '/hub/login', ANN)
    expect([json.status, await json.json()]).toEqual([
      500,
      { detail: 'Something went wrong here; try again later', code: 'NATIVE_AUTH_INTERNAL' },
    ])
    const page = await browser.form('/hub/login', ANN)
    const text = await page.text()
    expect(page.status).toBe(500)
    const log = written.mock.calls.map(([line]) => String(line)).join('')
    expect(log).toMatch(/^native-auth: \w+ \w+\n/)
    for (const leak of [ANN.password, 'native_auth_', 'from "', '    at ', SECRET]) {
      expect(text + log).not.toContain(leak)
    }
  })

  test('too many logins at once are told to come back, and the rest go on (P8)', async () => {
    await using database = await createDatabase()
    const inner = nodeRsHasher()
    const held = Promise.withResolvers<void>()
    const site = await openSite(database, {
      passwords: {
        inFlight: 1,
        waiting: 1,
        hasher: {
          ...inner,
          async verify(hash, password) {
            await held.promise
            return inner.verify(hash, password)
          },
        },
      },
    })
    const login = () => site.browser().json('POST', '/hub/login', ANN)
    const form = site.browser()
    await form.get('/hub/login')
    const two = [login(), login()]
    const third = await login()
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await form.form('/hub/login', ANN)).status).toBe(503)
    held.resolve()
    expect((await Promise.all(two)).map(({ status }) => status)).toEqual([200, 200])
    expect((await login()).status).toBe(200)
  })

  test('pages and layout are replaced one by one; one that throws is a plain 500', async () => {
    await using database = await createDatabase()
    let fails = false
    const site = await openSite(database, {
      pages: {
        layout: ({ kind, title, body, account }) => {
          if (fails) throw new Error('layout')
          return `<!doctype html><title>${title}</title><main data-kind="${kind}">${account?.username ?? 'nobody'} ${body}</main>`
        },
        render: { login: ({ formToken, basePath }) => `<form action="${basePath}/login">${formToken}</form>` },
        contentSecurityPolicy: "default-src 'self'",
      },
    })
    const browser = site.browser()
    const login = await browser.get('/hub/login')
    expect(await login.text()).toMatch(/data-kind="login">nobody <form action="\/hub\/login">[\w-]{43}<\/form>/)
    expect(login.headers.get('content-security-policy')).toBe("default-src 'self'")
    const ann = await site.loggedIn(ANN)
    expect(await (await ann.get('/hub/account')).text()).toMatch(/data-kind="account">ann/)
    fails = true
    const broken = await ann.get('/hub/account')
    expect([broken.status, await broken.text()]).toEqual([500, expect.not.stringContaining('layout')])
  })

  test('options that cannot be right are refused by name, at once', async () => {
    await using database = await createDatabase()
    const cases: [RegExp, ConstructorParameters<typeof TestSite>[1]][] = [
      [/`secret`/, { secret: 'short' }],
      [/`adminToken`/, { adminToken: 'short' }],
      [/`origins`/, { origins: ['hub.example.org'] }],
      [/`origins`/, { origins: ['https://hub.example.org/hub'] }],
      [/`basePath`/, { basePath: 'hub' }],
      [/`basePath`/, { basePath: '/hub/' }],
      [/`mail`/, { signUp: { selfApproval: /x/ } }],
      [
        /only one of `signUp.open`/,
        { mail: () => Promise.resolve(), origins: ['https://a.org'], signUp: { open: true, selfApproval: /x/ } },
      ],
      [/`passwords.minLength`/, { passwords: { minLength: 0 } }],
      [/`passwords.inFlight`/, { passwords: { inFlight: 0 } }],
      [/`lockout.failures`/, { lockout: { failures: -1 } }],
      [/`lockout.seconds`/, { lockout: { seconds: Number.NaN } }],
      [/`sessions.idleSeconds`/, { sessions: { idleSeconds: 0 } }],
      [/`clientLimits.loginsPerMinute`/, { clientLimits: { loginsPerMinute: Infinity } }],
    ]
    for (const [name, options] of cases) expect(() => new TestSite(database, options)).toThrow(name)
  })
})
