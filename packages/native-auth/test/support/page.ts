import { mkdirSync } from 'node:fs'
import path from 'node:path'

import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Where pictures go, for people to look at; nowhere by default. */
const pictures = process.env['NATIVE_AUTH_SCREENSHOTS']

const LOOKS = [
  { name: 'phone-light', viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  { name: 'phone-dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  { name: 'wide-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { name: 'wide-dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
] as const

/** Fills in a form with the keyboard, field after field, and sends it. */
export const typist =
  (page: Page) =>
  async (...texts: string[]): Promise<void> => {
    // On a busy machine a page is there before its first field has the focus.
    await page.locator('input:focus').waitFor()
    for (const [index, text] of texts.entries()) {
      if (index > 0) await page.keyboard.press('Tab')
      await page.keyboard.type(text)
    }
    await page.keyboard.press('Enter')
    await page.waitForLoadState()
  }

/** Checks one page in each look: no barrier that axe knows, nothing wider than the screen. */
export async function inspect(page: Page, name: string): Promise<void> {
  // The colours do not depend on the width: two looks show every rule, four are for the eye.
  for (const look of pictures === undefined ? [LOOKS[0], LOOKS[3]] : LOOKS) {
    await page.setViewportSize(look.viewport)
    await page.emulateMedia({ colorScheme: look.colorScheme })
    // By the protocol, not by a script tag: the policy of the page forbids scripts.
    await page.evaluate(axe.source)
    const violations = await page.evaluate(async () => {
      const { axe: engine } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
      }
      const result = await engine.run()
      return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
    })
    expect([name, look.name, violations]).toEqual([name, look.name, []])
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect([name, look.name, width]).toEqual([name, look.name, look.viewport.width])
    if (pictures === undefined) continue
    mkdirSync(pictures, { recursive: true })
    await page.screenshot({ path: path.join(pictures, `${name}-${look.name}.png`), fullPage: true })
  }
}
