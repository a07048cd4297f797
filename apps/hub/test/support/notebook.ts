import type { Page } from 'playwright-core'

/** A notebook with one cell that prints something. */
export const NOTEBOOK = {
  nbformat: 4,
  nbformat_minor: 4,
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
  cells: [
    {
      cell_type: 'code',
      execution_count: null,
      metadata: {},
      outputs: [],
      source: 'print("six times seven is", 6 * 7)',
    },
  ],
}

/** Opens the notebook and runs its cell: the kernel answers over its websocket, through the proxy. */
export async function runNotebook(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.waitForSelector('#kernel_indicator_icon.kernel_idle_icon', { timeout: 60_000 })
  await page.click('.cell .CodeMirror')
  await page.keyboard.press('Shift+Enter')
  await page.waitForSelector('.output_text:has-text("six times seven is 42")', { timeout: 60_000 })
}
