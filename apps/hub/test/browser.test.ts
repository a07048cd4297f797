import type { Browser } from 'playwright-core'
import { describeWith } from '@org/services'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { inspect, launch, logIn } from './support/browser.ts'
import { startHub, type TestHub } from './support/running-hub.ts'

await describeWith('chromium', 'a browser, from sign-up to logout', () => {
  let hub: TestHub
  let browser: Browser

  beforeAll(async () => {
    hub = await startHub({ limits: { named_servers: 2 } })
    await hub.command(['create-admin', 'root'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    browser = await launch()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await hub?.[Symbol.asyncDispose]()
  }, 60_000)

  test('a person signs up, an admin lets him in, he works and leaves', { timeout: 120_000 }, async () => {
    const person = await (await browser.newContext()).newPage()
    await person.goto(hub.url)
    expect(person.url()).toContain('/hub/login')
    await inspect(person, 'login')
    await person.goto(`${hub.url}hub/signup`)
    await inspect(person, 'signup')
    await person.fill('[name=username]', 'ada')
    await person.fill('[name=signup_password]', 'a fine long password')
    await person.fill('[name=signup_password_confirmation]', 'a fine long password')
    await person.click('main button')
    await inspect(person, 'signed-up')

    const admin = await (await browser.newContext()).newPage()
    await logIn(admin, hub, 'root', 'correct horse battery')
    await inspect(admin, 'home-stopped')
    await admin.goto(`${hub.url}hub/authorize`)
    await inspect(admin, 'accounts')
    await admin.click('li:has-text("ada") button:has-text("Authorise")')
    await admin.goto(`${hub.url}hub/authorize/ada`)
    await inspect(admin, 'account')
    expect(await admin.evaluate("getComputedStyle(document.querySelector('ul.acts')).listStyleType")).toBe('none')
    await admin.goto(`${hub.url}hub/nothing-here`)
    await inspect(admin, 'not-found')
    await admin.click('main a:has-text("Go back")')
    expect(new URL(admin.url()).pathname).toContain('/hub/home')

    await person.goto(`${hub.url}user/ada/files/`)
    expect(person.url()).toContain('/hub/login?next=')
    await person.fill('[name=username]', 'ada')
    await person.fill('[name=password]', 'a fine long password')
    await person.click('main button')
    await inspect(person, 'stopped-server')
    await person.click('main button:has-text("Start")')
    await person.waitForURL('**/user/ada/files/')
    expect(await person.textContent('h1')).toBe('Files')
    await inspect(person, 'files')
    await person.goto(`${hub.url}user/ada/console`)
    await person.fill('#code', '6 * 7')
    await person.click('button')
    await person.waitForSelector('#output:has-text("42")')
    await inspect(person, 'console')

    await person.goto(`${hub.url}hub/home`)
    await inspect(person, 'home-running')
    await person.goto(`${hub.url}hub/token`)
    await inspect(person, 'tokens')
    await person.fill('[name=note]', 'for the command line')
    await person.click('main button:has-text("Make a token")')
    await inspect(person, 'token-made')
    const token = (await person.textContent('#token')) ?? ''
    const who = await hub.call('GET', '/user', { token })
    expect(who.json).toMatchObject({ kind: 'user', name: 'ada' })

    await admin.goto(`${hub.url}hub/admin`)
    await inspect(admin, 'admin')
    await admin.click('a:has-text("Open")')
    expect(await admin.textContent('h1')).toBe('Open the server of ada?')
    await inspect(admin, 'consent')
    await admin.click('main button')
    await admin.waitForURL('**/user/ada/**')
    expect(await admin.textContent('h1')).toBe('Files')
    await person.goto(`${hub.url}hub/home`)
    await person.click('main button:has-text("Stop")')
    await person.waitForSelector('text=stopped')
    expect((await hub.call('GET', '/users/ada')).json).toMatchObject({ server: null, servers: {} })
    await person.click('nav button:has-text("Log out")')
    expect(person.url()).toContain('/hub/login')
    await person.goto(`${hub.url}hub/home`)
    expect(person.url()).toContain('/hub/login')
  })
})
