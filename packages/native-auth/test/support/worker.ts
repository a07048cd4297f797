/* A second process on the database of a test: does what its arguments say, when a line comes in on stdin. */
import { once } from 'node:events'

import { createNativeAuth } from '../../src/index.ts'
import { nodeRsHasher } from '../../src/node-rs.ts'
import { openUrl } from './databases-open.ts'

const [url = '', secret = '', now = '0'] = process.argv.slice(2)
const db = openUrl(url)
const auth = createNativeAuth({
  db,
  secret,
  basePath: '/hub',
  now: () => Number(now),
  clientLimits: { loginsPerMinute: 0, signUpsPerHour: 0 },
  passwords: { hasher: nodeRsHasher() },
})
process.stdout.write('ready\n')

const [line] = (await once(process.stdin.setEncoding('utf8'), 'data')) as [string]
const requests = JSON.parse(line) as { path: string; body: unknown; cookie: string }[]
const statuses = await Promise.all(
  requests.map(async ({ path, body, cookie }) => {
    const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', cookie }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await auth.handler(new Request(`https://hub.example.org${path}`, init), { clientIp: '192.0.2.1' })
    return response.status
  }),
)
process.stdout.write(`${JSON.stringify(statuses)}\n`)
process.stdin.destroy()
await db.destroy()
