import { once } from 'node:events'

import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { describeWith, ensurePostgresImage } from '@org/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { inspect, launch, logIn } from './support/browser.ts'
import { startHub, type TestHub, until } from './support/running-hub.ts'

await describeWith(['docker', 'chromium'], 'my databases', () => {
  let hub: TestHub
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    hub = await startHub({ databases: { image: await ensurePostgresImage(), per_user: 2 } })
    await hub.command(['create-admin', 'ada'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    browser = await launch()
    page = await (await browser.newContext()).newPage()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    const left = (await hub?.call('GET', '/users/ada/databases'))?.json as readonly { name: string }[] | undefined
    for (const { name } of left ?? []) await hub.call('DELETE', `/users/ada/databases/${name}`)
    await hub?.[Symbol.asyncDispose]()
  }, 120_000)

  test('are made, used in the browser and from outside, stopped and deleted', { timeout: 180_000 }, async () => {
    await logIn(page, hub, 'ada', 'correct horse battery')
    await page.click('nav >> text=Databases')
    await page.fill('#name', 'notes')
    await page.click('main button:has-text("Create")')
    await page.waitForSelector('#address', { timeout: 60_000 })
    const url = (await page.textContent('#address')) ?? ''
    await inspect(page, 'databases')

    const client = new pg.Client(url)
    await client.connect()
    expect((await client.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()

    await page.click('a:has-text("Console")')
    await page.waitForSelector('.xterm-rows:has-text("postgres=#")')
    await page.keyboard.type('select version();\n')
    await page.waitForSelector('.xterm-rows:has-text("PostgreSQL")')
    await inspect(page, 'database-console')

    // Whatever a page of somebody's server could send in the owner's name ends that connection, and nothing else.
    const socket = (await page.getAttribute('#terminal', 'data-socket')) ?? ''
    const headers = { cookie: await cookiesOf(page), origin: hub.url.slice(0, -1) }
    for (const message of ['{', 'null', '{"keys":5}', '{"size":{"rows":-1,"columns":1e9}}', 'x'.repeat(1_000_001)]) {
      const rough = new WebSocket(new URL(socket, hub.url.replace('http:', 'ws:')), { headers })
      rough.on('error', () => {})
      rough.on('open', () => rough.send(message))
      const [code] = (await once(rough, 'close')) as [number]
      expect([1007, 1009]).toContain(code)
    }
    expect((await hub.call('GET', '/users/ada')).status).toBe(200)
    await page.reload()
    await page.waitForSelector('.xterm-rows:has-text("postgres=#")')

    // What was opened before a login ended takes nothing any more.
    const another = await (await browser.newContext()).newPage()
    await logIn(another, hub, 'ada', 'correct horse battery')
    await another.goto(page.url())
    await another.waitForSelector('.xterm-rows:has-text("postgres=#")')
    const place = (await another.getAttribute('#terminal', 'data-socket')) ?? ''
    const cookie = await cookiesOf(another)
    const kept = new WebSocket(new URL(place, hub.url.replace('http:', 'ws:')), {
      headers: { cookie, origin: hub.url.slice(0, -1) },
    })
    let shown = ''
    kept.on('message', (data: Buffer) => (shown += data.toString()))
    await once(kept, 'open')
    kept.send('{"keys":"select 6*7;\\n"}')
    await until(() => shown.includes('42'))
    await another.goto(`${hub.url}hub/home`)
    await another.click('button:has-text("Log out")')
    await another.waitForURL('**/hub/login*')
    kept.send('{"keys":"create table stolen ();\\n"}')
    expect(((await once(kept, 'close')) as [number])[0]).toBe(4403)
    expect(shown).not.toContain('CREATE TABLE')

    await page.goto(`${hub.url}hub/databases`)
    expect(await page.content()).not.toContain(new URL(url).password)
    await page.click('button:has-text("Stop")')
    await page.waitForSelector('.tag:has-text("stopped")', { timeout: 60_000 })
    await page.click('button:has-text("Delete")')
    await page.waitForSelector('text=You have none yet.', { timeout: 60_000 })
  })

  test('belong to their owner alone', { timeout: 120_000 }, async () => {
    await hub.call('POST', '/users/bob')
    const made = await hub.call('POST', '/users/bob/databases', { body: { name: 'Bad Name' } })
    expect(made.status).toBe(400)
    const { token } = (await hub.call('POST', '/users/bob/tokens')).json as unknown as { token: string }
    expect((await hub.call('GET', '/users/ada/databases', { token })).status).toBe(404)
    expect((await hub.call('GET', '/users/bob/databases', { token })).json).toEqual([])
  })
})

describe('without a container engine', () => {
  test('the answer says what is missing', { timeout: 60_000 }, async () => {
    await using hub = await startHub({ docker: { socket: '/nonexistent/docker.sock' } })
    await hub.call('POST', '/users/ada')
    const answer = await hub.call('GET', '/users/ada/databases')
    expect(answer).toMatchObject({
      status: 503,
      json: { message: expect.stringContaining('Start the engine') as string },
    })
  })
})

async function cookiesOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies(page.url())
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}
