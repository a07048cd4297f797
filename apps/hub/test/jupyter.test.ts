import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import type { Browser, Page } from 'playwright-core'
import { describeWith } from '@org/services'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { launch, logIn } from './support/browser.ts'
import { NOTEBOOK, runNotebook } from './support/notebook.ts'
import { startHub, type TestHub } from './support/running-hub.ts'

await describeWith(['jupyterhub', 'chromium'], 'a real jupyterhub-singleuser', () => {
  let hub: TestHub
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    hub = await startHub({
      spawner: { command: 'auto', interrupt_timeout: 10, start_timeout: 90, slow_spawn_timeout: 60 },
    })
    await hub.command(['create-admin', 'ada'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    const home = path.join(hub.dir, 'data', 'homes', 'ada')
    mkdirSync(home, { recursive: true, mode: 0o700 })
    writeFileSync(path.join(home, 'sums.ipynb'), JSON.stringify(NOTEBOOK))
    browser = await launch()
    page = await (await browser.newContext()).newPage()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await hub?.[Symbol.asyncDispose]()
  }, 60_000)

  test(
    'starts from the page, lists files, runs a kernel over its websocket, and is stopped',
    { timeout: 120_000 },
    async () => {
      await logIn(page, hub, 'ada', 'correct horse battery')
      await page.click('main button:has-text("Start")')
      await page.waitForURL('**/user/ada/tree**', { timeout: 90_000 })
      await page.waitForSelector('#notebook_list >> text=sums.ipynb')
      // The picture in the header is the hub's.
      await page.waitForFunction("document.querySelector('#ipython_notebook img')?.naturalWidth > 0")

      await runNotebook(page, `${hub.url}user/ada/notebooks/sums.ipynb`)

      const { json } = await hub.call('GET', '/users/ada')
      expect(json).toMatchObject({ server: '/user/ada/', servers: { '': { ready: true } } })
      expect((await hub.call('DELETE', '/users/ada/server')).status).toBe(204)
      await page.goto(`${hub.url}user/ada/tree`)
      expect(await page.textContent('h1')).toBe('The server is stopped')
    },
  )

  test('lets nobody else in', { timeout: 120_000 }, async () => {
    await hub.call('POST', '/users/ada/server')
    const other = await (await browser.newContext()).newPage()
    await other.goto(`${hub.url}user/ada/tree`)
    expect(other.url()).toContain('/hub/login')
    await hub.command(['create-admin', 'bob'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    await hub.call('PATCH', '/users/bob', { body: { admin: false } })
    await logIn(other, hub, 'bob', 'correct horse battery')
    const answer = await other.goto(`${hub.url}user/ada/tree`)
    expect(answer?.status()).toBe(403)
    await hub.call('DELETE', '/users/ada/server')
  })

  test('forgets a browser that logged out at the hub', { timeout: 120_000 }, async () => {
    await hub.call('POST', '/users/ada/server')
    await page.goto(`${hub.url}user/ada/tree`)
    await page.waitForSelector('#notebook_list')
    expect((await hub.call('GET', '/users/ada/tokens')).json['api_tokens']).toHaveLength(2)
    await page.goto(`${hub.url}hub/home`)
    await page.click('nav button:has-text("Log out")')
    expect((await hub.call('GET', '/users/ada/tokens')).json['api_tokens']).toHaveLength(1)
  })
})
