import { TOKEN } from '../test/support/running-hub.ts'
import { startBareServer } from './bare-server.ts'
import { type BenchSize, both, type Contender, type Contenders } from './contenders.ts'
import { type Load, type LoadResult, median, openLoad } from './load.ts'
import type { Row } from './table.ts'

/** What is asked, on each side with its own address and token. */
interface Reading {
  readonly what: string
  readonly clients: number
  readonly ours: { readonly url: string; readonly token: string }
  readonly peer: { readonly url: string; readonly token: string }
  /** How many times better it should be. */
  readonly atLeast?: number
  readonly atLeastValue?: number
  /** Whether latency is told, too. */
  readonly p99?: boolean
  readonly peerIs?: Row['peerIs']
}

/** How fast readings are answered, through the proxy. */
export async function rates(hubs: Contenders, size: BenchSize): Promise<Row[]> {
  const tokens = await both(hubs, prepare)
  const sides = (path: string, token?: string) => ({
    ours: { url: `${hubs.ours.url}${path}`, token: token ?? tokens.ours },
    peer: { url: `${hubs.peer.url}${path}`, token: token ?? tokens.peer },
  })
  const user = sides('hub/api/users/bench')
  const like = await fetch(user.ours.url, { headers: { authorization: `token ${user.ours.token}` } })
  await using bare = await startBareServer(hubs, like)
  const rows: Row[] = []
  for (const clients of [1, 16]) {
    const what = `GET user, ${clients} client${clients === 1 ? '' : 's'}`
    const config = sides('hub/api/users/bench', TOKEN)
    const ceiling = { url: bare.url, token: tokens.ours }
    rows.push(...(await read({ what, clients, ...user, atLeast: 5, p99: true }, size)))
    const beside = { what: `${what}, bare server`, clients, ours: user.ours, peer: ceiling, peerIs: BARE, p99: true }
    rows.push(...(await read(beside, size)))
    rows.push(...(await read({ what: `${what}, configured token`, clients, ...config }, size)))
  }
  const root = sides('hub/api/')
  const health = sides('hub/health')
  rows.push(...(await read({ what: 'GET root, 16 clients', clients: 16, ...root, atLeastValue: 1200 }, size)))
  rows.push(...(await read({ what: 'GET health, 16 clients', clients: 16, ...health, atLeastValue: 1200 }, size)))
  const users = sides('hub/api/users', TOKEN)
  rows.push(...(await read({ what: 'GET users, 204 users, 4 clients', clients: 4, ...users, atLeast: 20 }, size)))
  return rows
}

/** What proxy and client leave of a call: no hub on Node could be answered for sooner. */
const BARE = { name: 'a bare node:http server behind the same proxy', version: process.versions.node }

/** Loads both sides turn by turn: what else the machine does comes and goes within seconds, and only pairs meet it alike. */
async function read(reading: Reading, { warmMs, loadMs, times }: BenchSize): Promise<Row[]> {
  const { what, clients, atLeast, atLeastValue, p99, peerIs } = reading
  using ours = await openLoad({ ...reading.ours, clients })
  using peer = await openLoad({ ...reading.peer, clients })
  await peer.run(warmMs)
  await ours.run(warmMs)
  const results: { readonly ours: LoadResult; readonly peer: LoadResult }[] = []
  for (let round = 0; round < times; round += 1) {
    const [first, second] = round % 2 === 0 ? [ours, peer] : [peer, ours]
    const done = new Map<Load, LoadResult>()
    for (const side of [first, second]) done.set(side, await side.run(loadMs))
    results.push({ ours: done.get(ours) as LoadResult, peer: done.get(peer) as LoadResult })
  }
  const row = (name: string, unit: string, pick: (result: LoadResult) => number): Row => ({
    what: name,
    unit,
    ours: median(results.map((pair) => pick(pair.ours))),
    peer: median(results.map((pair) => pick(pair.peer))),
    pairs: results.map((pair) => pick(pair.ours) / pick(pair.peer)),
    ...(atLeast !== undefined && { atLeast }),
    ...(peerIs !== undefined && { peerIs }),
  })
  return [
    { ...row(what, '/s', ({ rate }) => rate), ...(atLeastValue !== undefined && { atLeastValue }) },
    ...(p99 !== true ? [] : [row(`${what}, p99`, 'ms', (result) => result.p99)]),
  ]
}

/** 204 users, and a token of one of them. */
async function prepare({ call }: Contender): Promise<string> {
  const usernames = Array.from({ length: 203 }, (_, index) => `user-${index}`)
  await call('POST', '/users', { body: { usernames } })
  await call('POST', '/users/bench')
  return (await call('POST', '/users/bench/tokens')).json['token'] as unknown as string
}
