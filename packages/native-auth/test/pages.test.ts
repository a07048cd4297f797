import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { getRequestListener } from '@hono/node-server'
import { describeWith } from '@org/services'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { fromBase32, stepAt, totp } from '../src/second-factor/totp.ts'
import { databases } from './support/databases.ts'
import { letterBox } from './support/letter-box.ts'
import { inspect, typist } from './support/page.ts'
import { ADMIN, ANN, openSite, type TestSite } from './support/site.ts'

/** Serves a site on a loopback port, with the address of the socket as the client's. */
async function serve(site: TestSite): Promise<AsyncDisposable & { readonly origin: string }> {
  const listener = getRequestListener((request) => site.auth.handler(request), { overrideGlobalObjects: false })
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function login(page: Page, origin: string, who: { username: string; password: string }): Promise<void> {
  await page.goto(`${origin}/hub/login`)
  await page.getByLabel('Username').fill(who.username)
  await page.getByLabel('Password').fill(who.password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

await describeWith('chromium', 'the pages in Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-gpu'],
    })
  })

  afterAll(async () => {
    await browser?.close()
  })

  async function context(javaScriptEnabled = true): Promise<BrowserContext> {
    return browser.newContext({ javaScriptEnabled })
  }

  test('have no barrier, on a phone and wide, light and dark', async () => {
    await using database = await databases[0][1]()
    const box = letterBox()
    const site = await openSite(database, {
      allowInsecureCookies: true,
      mail: box.mail,
      origins: ['https://hub.example.org'],
      signUp: { askEmail: true, termsHtml: 'I accept the <a href="/terms">terms of use</a>' },
      serviceName: 'Otter Lab',
    })
    for (const name of ['anna', 'bob', 'carl', 'a-very-long-name-that-does-not-want-to-fit-on-a-small-screen-x']) {
      await site.auth.signUp({
        username: name,
        password: 'a long sentence 1',
        email: `${name.slice(0, 30)}@example.org`,
        acceptTerms: true,
      })
    }
    await site.auth.accounts.block('bob', { reason: 'does not answer mail' })
    await using server = await serve(site)
    await using visit = await context()
    const page = await visit.newPage()
    const open = async (route: string, name: string) => {
      await page.goto(`${server.origin}/hub/${route}`)
      await inspect(page, name)
    }
    await open('login', 'login')
    await page.getByRole('button', { name: 'Log in' }).evaluate((button) => {
      const { form } = button as unknown as { form: { noValidate: boolean } }
      form.noValidate = true
    })
    await page.getByRole('button', { name: 'Log in' }).click()
    await inspect(page, 'login-refused')
    await open('signup', 'signup')
    await page.evaluate('document.forms[0].noValidate = true')
    await page.getByLabel('Username').fill('a b')
    await page.getByRole('button', { name: 'Sign up' }).click()
    await inspect(page, 'signup-refused')
    await open('forgot-password', 'forgot-password')
    await open(`reset/${(await site.auth.links.createReset('anna')).token}`, 'reset')
    await open('confirm/unknown', 'invalid-link')
    const anna = await site.auth.accounts.get('anna')
    if (anna === undefined) throw new Error('anna is not there')
    await site.auth.links.sendConfirmation(anna)
    await open(new URL(await box.next()).pathname.replace('/hub/', ''), 'confirm')
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('anna is ready').waitFor()
    await inspect(page, 'confirmed')
    await login(page, server.origin, ADMIN)
    for (const route of [
      'account',
      'authorize',
      'authorize/anna',
      'change-password',
      'change-password/anna',
      'logout',
    ]) {
      await open(route, route.replace('/', '-'))
    }
    await open('authorize/nobody', 'not-found')
    await open('second-factor', 'second-factor')
    await page.getByLabel('Current password').fill(ADMIN.password)
    await page.getByRole('button', { name: 'Set up' }).click()
    await inspect(page, 'enrol')
    const secret = ((await page.locator('code').textContent()) ?? '').replaceAll(' ', '')
    await page.getByRole('textbox', { name: 'Code' }).fill(totp(fromBase32(secret), stepAt(site.clock.at)))
    await page.getByRole('button', { name: 'Switch on' }).click()
    await inspect(page, 'recovery-codes')
    await open('change-password', 'change-password-code')
    await page.getByLabel('Current password').fill(ADMIN.password)
    await page.getByLabel('New password', { exact: true }).fill('another sentence 2')
    await page.getByLabel('New password again').fill('another sentence 2')
    await page.getByRole('textbox', { name: 'Code' }).fill('000000')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByRole('alert').waitFor()
    // Whoever cannot see the page is told which field it was.
    expect(await page.locator('#code').getAttribute('aria-describedby')).toBe('code-error code-hint')
    await inspect(page, 'change-password-code-refused')
    await visit.clearCookies()
    await login(page, server.origin, ADMIN)
    await inspect(page, 'code')
  }, 120_000)

  test('work from sign-up to a changed password with the keyboard alone, without JavaScript', async () => {
    await using database = await databases[0][1]()
    const site = await openSite(database, { allowInsecureCookies: true, signUp: { open: true } })
    await using server = await serve(site)
    await using visit = await context(false)
    const page = await visit.newPage()
    const type = typist(page)
    await page.goto(`${server.origin}/hub/signup`)
    await page.locator('#username:focus').waitFor()
    await type('dora', 'short', 'short')
    // What was refused is where one goes on.
    await page.locator('[aria-invalid=true]:focus').waitFor()
    await type('a long sentence 1', 'a long sentence 1')
    await page.getByText('dora is ready').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/hub/login')
    await type('dora', 'not this one')
    await page.locator('#password:focus').waitFor()
    await type('a long sentence 1')
    await page.waitForURL('**/hub/account')
    await page.goto(`${server.origin}/hub/nothing-here`)
    await page.getByRole('link', { name: 'Go back' }).click()
    await page.waitForURL('**/hub/account')
    await page.goto(`${server.origin}/hub/change-password`)
    await type('a long sentence 1', 'another sentence 2', 'another sentence 2')
    await page.getByText('Your other sessions have ended').waitFor()
    await expect(site.auth.authenticate({ username: 'dora', password: 'another sentence 2' })).resolves.toBeDefined()
    // What has the focus is seen to have it.
    await page.goto(`${server.origin}/hub/logout`)
    await page.keyboard.press('Tab')
    const outline = await page.locator(':focus-visible').count()
    expect(outline).toBe(1)
  })

  test('confirm an account and change a password under a second factor with the keyboard alone', async () => {
    await using database = await databases[0][1]()
    const box = letterBox()
    const site = await openSite(database, {
      allowInsecureCookies: true,
      mail: box.mail,
      origins: ['https://hub.example.org'],
      signUp: { selfApproval: /.*@example\.org/ },
    })
    await using server = await serve(site)
    await using visit = await context(false)
    const page = await visit.newPage()
    const type = typist(page)
    await page.goto(`${server.origin}/hub/signup`)
    await page.locator('#username:focus').waitFor()
    await type('dora', 'dora@example.org', 'a long sentence 1', 'a long sentence 1')
    await page.getByText('Look into your mail').waitFor()
    await page.goto(server.origin + new URL(await box.next()).pathname)
    await page.keyboard.press('Tab')
    expect(await page.locator('button:focus-visible').textContent()).toBe('Confirm')
    await page.keyboard.press('Enter')
    await page.getByText('dora is ready').waitFor()

    const { session } = await site.auth.sessions.create('dora')
    const { setup, secret } = await site.auth.secondFactor.start(session, 'a long sentence 1')
    const first = totp(fromBase32(secret), stepAt(site.clock.at))
    const { recoveryCodes: codes } = await site.auth.secondFactor.confirm(setup, first)
    await page.goto(`${server.origin}/hub/login`)
    await type('dora', 'a long sentence 1')
    await page.locator('#code:focus').waitFor()
    await type(codes[0] ?? '')
    await page.waitForURL('**/hub/account')
    await page.goto(`${server.origin}/hub/change-password`)
    await type('a long sentence 1', 'another sentence 2', 'another sentence 2', codes[1] ?? '')
    await page.getByText('Your other sessions have ended').waitFor()
    await expect(
      site.auth.authenticate({ username: 'dora', password: 'another sentence 2', code: codes[2] ?? '' }),
    ).resolves.toBeDefined()
  })

  test('keep their cookies from what else runs on the origin, where the path is narrow', async () => {
    await using database = await databases[0][1]()
    const site = await openSite(database, {
      allowInsecureCookies: true,
      cookies: { prefix: 'lab-', path: '/hub/' },
    })
    await using server = await serve(site)
    await using visit = await context()
    const page = await visit.newPage()
    await login(page, server.origin, ANN)
    await page.waitForURL('**/hub/account')
    const sent = async (path: string) => {
      const [request] = await Promise.all([
        page.waitForRequest(`${server.origin}${path}`),
        page.goto(server.origin + path),
      ])
      return (await request.allHeaders())['cookie'] ?? ''
    }
    expect(await sent('/hub/account')).toMatch(/lab-session=/)
    expect(await sent('/user/somebody')).toBe('')
  })

  test('refuse a form from another site', async () => {
    await using database = await databases[0][1]()
    const site = await openSite(database, { allowInsecureCookies: true })
    await using server = await serve(site)
    await using visit = await context()
    const page = await visit.newPage()
    await login(page, server.origin, ANN)
    await page.waitForURL('**/hub/account')
    await page.route('http://evil.example/', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<form method="post" action="${server.origin}/hub/logout"><button>Win</button></form>`,
      }),
    )
    await page.goto('http://evil.example/')
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url() === `${server.origin}/hub/logout`),
      page.getByRole('button').click(),
    ])
    expect(answer.status()).toBe(403)
    await page.goto(`${server.origin}/hub/account`)
    expect(page.url()).toBe(`${server.origin}/hub/account`)
  })
})
