import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import { type Browser, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Starts the machine's Chromium. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-gpu'],
  })
}

/** The two widths that pages are looked at in, in pixels: a phone and a laptop. */
const WIDTHS = { phone: 390, laptop: 1280 } as const

/**
 * Checks a page as people meet it: nothing wider than the screen and no accessibility fault, at two widths, light and dark.
 *
 * With `SCREENSHOTS` set to a folder, pictures are left there.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const [label, width] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width, height: 800 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      const folder = process.env['SCREENSHOTS']
      if (folder !== undefined) {
        await page.screenshot({ path: path.join(folder, `${name}-${label}-${colorScheme}.png`), fullPage: true })
      }
      // A console fits itself to a new width a moment after it.
      const wide = () => page.evaluate('document.documentElement.scrollWidth > window.innerWidth')
      await expect.poll(wide, { message: `${name} fits ${label}`, timeout: 10_000 }).toBe(false)
      // By the debugger, which the page's policy does not bind.
      const violations = await page.evaluate(
        `(() => { ${axe}; return axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' '))) })()`,
      )
      expect(violations, `${name}, ${label}, ${colorScheme}`).toEqual([])
    }
  }
}

/** Logs in on the login page. */
export async function logIn(page: Page, hub: { readonly url: string }, name: string, password: string): Promise<void> {
  await page.goto(`${hub.url}hub/login`)
  await page.fill('[name=username]', name)
  await page.fill('[name=password]', password)
  await page.click('main button')
  expect(new URL(page.url()).pathname).toContain('/hub/home')
}
