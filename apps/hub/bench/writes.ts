import { both, type Contenders, repeat } from './contenders.ts'
import { median, timed } from './load.ts'
import type { Row } from './table.ts'

/** How long it takes to make users. */
export async function writes(hubs: Contenders): Promise<Row[]> {
  const one = await both(hubs, ({ call }) => repeat(20, (index) => timed(() => call('POST', `/users/new-${index}`))))
  const usernames = Array.from({ length: 200 }, (_, index) => `many-${index}`)
  const many = await both(hubs, ({ call }) => timed(() => call('POST', '/users', { body: { usernames } })))
  return [
    { what: 'create a user, median of 20', unit: 'ms', ours: median(one.ours), peer: median(one.peer), atMost: 10 },
    { what: 'create 200 users in one call', unit: 'ms', ours: many.ours, peer: many.peer, atMost: 500 },
  ]
}
