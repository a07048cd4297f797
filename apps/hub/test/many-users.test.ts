import type { Browser } from 'playwright-core'
import { describeWith } from '@org/services'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { inspect, launch, logIn } from './support/browser.ts'
import { startHub, type TestHub } from './support/running-hub.ts'

await describeWith('chromium', 'a hub of a thousand users', () => {
  let hub: TestHub
  let browser: Browser

  beforeAll(async () => {
    hub = await startHub()
    await hub.command(['create-admin', 'root'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    const usernames = Array.from({ length: 1000 }, (_, index) => `person-${String(index).padStart(4, '0')}`)
    await hub.call('POST', '/users', { body: { usernames } })
    browser = await launch()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await hub?.[Symbol.asyncDispose]()
  }, 60_000)

  test('pages through them and finds one', { timeout: 60_000 }, async () => {
    const page = await (await browser.newContext()).newPage()
    await logIn(page, hub, 'root', 'correct horse battery')
    await page.goto(`${hub.url}hub/admin`)
    expect(await page.textContent('.pager')).toContain('1001 users, page 1 of 21')
    expect(await page.locator('ul.rows > li').count()).toBe(50)
    await inspect(page, 'admin-many')
    await page.click('a[rel=next]')
    expect(await page.textContent('.pager')).toContain('page 2 of 21')
    await page.fill('[name=q]', 'ON-0777')
    await page.click('button:has-text("Search")')
    expect(await page.locator('ul.rows > li').count()).toBe(1)
    await page.click('ul.rows a:has-text("person-0777")')
    await inspect(page, 'admin-user')
    await page.click('button:has-text("Make administrator")')
    await page.waitForSelector('.tag:has-text("admin")')
    expect((await hub.call('GET', '/users/person-0777')).json).toMatchObject({ admin: true, roles: ['user', 'admin'] })
    await page.click('button:has-text("Make ordinary user")')
    await page.waitForSelector('button:has-text("Make administrator")')
    expect((await hub.call('GET', '/users/person-0777')).json).toMatchObject({ admin: false })
  })

  test("ends a user's token, and deletes nobody by one click", { timeout: 60_000 }, async () => {
    const made = await hub.call('POST', '/users/person-0042/tokens', { body: { note: 'on a lost laptop' } })
    const token = made.json['token'] as unknown as string
    const page = await (await browser.newContext()).newPage()
    await logIn(page, hub, 'root', 'correct horse battery')
    await page.goto(`${hub.url}hub/admin/users/person-0042`)
    await page.click('li:has-text("on a lost laptop") button:has-text("Revoke")')
    await page.waitForSelector('text=There are none yet')
    expect((await hub.call('GET', '/user', { token })).status).toBe(403)

    await page.evaluate("document.querySelector('#sure').form.noValidate = true")
    await page.click('button:has-text("Delete person-0042")')
    expect(await page.textContent('[role=alert]')).toBe('Say that person-0042 is to be deleted')
    expect((await hub.call('GET', '/users/person-0042')).status).toBe(200)
    await page.goto(`${hub.url}hub/admin/users/person-0042`)
    await page.check('#sure')
    await page.click('button:has-text("Delete person-0042")')
    await page.waitForURL('**/hub/admin')
    expect((await hub.call('GET', '/users/person-0042')).status).toBe(404)
    await page.goto(`${hub.url}hub/admin/users/root`)
    expect(await page.locator('#sure').count()).toBe(0)
  })

  test('lists them over the API a page at a time', { timeout: 60_000 }, async () => {
    const seen = new Set<string>()
    let total = Number.NaN
    let next = '/users?limit=200'
    while (next !== '') {
      const { json } = await hub.call('GET', next, { headers: { accept: 'application/jupyterhub-pagination+json' } })
      const { items, _pagination: pages } = json as unknown as {
        items: { name: string }[]
        _pagination: { next: { url: string } | null; total: number }
      }
      for (const { name } of items) seen.add(name)
      total = pages.total
      next = pages.next === null ? '' : pages.next.url.slice(pages.next.url.indexOf('/users'))
    }
    expect(seen.size).toBe(total)
  })
})
