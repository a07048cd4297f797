import { describeWith } from '@org/services'
import { expect, test } from 'vitest'

import { openBrowser } from './support/browser.ts'
import { usePool } from './support/use-pool.ts'

const worlds = usePool('people')

await describeWith('chromium', 'the documentation in a browser', () => {
  test('shows the operations, loads nothing from elsewhere and breaks no policy', async () => {
    await using world = await worlds.open()
    await using browser = await openBrowser()
    const page = await browser.context.newPage()
    const elsewhere: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(world.url) && !request.url().startsWith('data:')) elsewhere.push(request.url())
    })
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(`${world.url}/docs`)
    await page.getByText('Conferences, their sessions, speakers and files').waitFor()
    await page.locator('#operations-tag-Events').click()
    await page.getByText('/v1/events/{id}/restore').first().waitFor()
    expect(elsewhere).toEqual([])
    expect(complaints).toEqual([])
  })
})
