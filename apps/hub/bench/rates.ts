import { TOKEN } from '../test/support/running-hub.ts'
import { type BenchSize, both, type Contender, type Contenders } from './contenders.ts'
import { load } from './load.ts'
import type { Row } from './table.ts'

/** How fast readings are answered, through the proxy. */
export async function rates(hubs: Contenders, { loadMs }: BenchSize): Promise<Row[]> {
  const rows: Row[] = []
  const tokens = await both(hubs, prepare)
  const tokenOf = (hub: Contender) => (hub === hubs.ours ? tokens.ours : tokens.peer)
  for (const clients of [1, 16]) {
    const what = `GET user, ${clients} client${clients === 1 ? '' : 's'}`
    const { ours, peer } = await both(hubs, (hub) =>
      load(`${hub.url}hub/api/users/bench`, tokenOf(hub), clients, loadMs),
    )
    rows.push({ what, unit: '/s', ours: ours.rate, peer: peer.rate, atLeast: 5 })
    rows.push({ what: `${what}, p99`, unit: 'ms', ours: ours.p99, peer: peer.p99, atLeast: 5 })
    const config = await both(hubs, ({ url }) => load(`${url}hub/api/users/bench`, TOKEN, clients, loadMs))
    rows.push({ what: `${what}, configured token`, unit: '/s', ours: config.ours.rate, peer: config.peer.rate })
  }
  // What proxy and client leave of a call: no hub could be answered for sooner.
  const ceiling = await both(hubs, ({ url }) => load(`${url}hub/health`, '', 1, loadMs))
  rows.push({ what: 'GET health, 1 client', unit: '/s', ours: ceiling.ours.rate, peer: ceiling.peer.rate })
  rows.push({ what: 'GET health, 1 client, p99', unit: 'ms', ours: ceiling.ours.p99, peer: ceiling.peer.p99 })
  for (const [what, where] of [
    ['GET root', 'hub/api/'],
    ['GET health', 'hub/health'],
  ] as const) {
    const { ours, peer } = await both(hubs, (hub) => load(`${hub.url}${where}`, tokenOf(hub), 16, loadMs))
    rows.push({ what: `${what}, 16 clients`, unit: '/s', ours: ours.rate, peer: peer.rate, atLeastValue: 1200 })
  }
  const { ours, peer } = await both(hubs, ({ url }) => load(`${url}hub/api/users`, TOKEN, 4, loadMs))
  rows.push({ what: 'GET users, 204 users, 4 clients', unit: '/s', ours: ours.rate, peer: peer.rate, atLeast: 20 })
  return rows
}

/** 204 users, and a token of one of them. */
async function prepare({ call }: Contender): Promise<string> {
  const usernames = Array.from({ length: 203 }, (_, index) => `user-${index}`)
  await call('POST', '/users', { body: { usernames } })
  await call('POST', '/users/bench')
  return (await call('POST', '/users/bench/tokens')).json['token'] as unknown as string
}
