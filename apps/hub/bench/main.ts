import { readFileSync } from 'node:fs'

import { FAKE_SERVER, startJupyterHub } from '../test/support/jupyterhub.ts'
import { type Answer, type CallOptions, startHub, TOKEN } from '../test/support/running-hub.ts'
import { load, median, timed } from './load.ts'

/** A hub that is measured. */
interface Contender {
  readonly url: string
  readonly pid: number
  readonly token: string
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
}

/** Length of one load, in milliseconds. */
const LOAD_MS = Number(process.env['BENCH_MS'] ?? 3000)

const rows: { what: string; ours: string; peer: string; ratio: string }[] = []
/** Adds a row; `better` says how many times better ours is. */
function report(what: string, ours: number, peer: number, unit: string, isRate: boolean): void {
  const better = isRate ? ours / peer : peer / ours
  const show = (value: number) => `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`
  rows.push({ what, ours: show(ours), peer: show(peer), ratio: `${better.toFixed(1)}x` })
}

async function prepare(hub: Omit<Contender, 'token'>): Promise<Contender> {
  const usernames = Array.from({ length: 203 }, (_, index) => `user-${index}`)
  await hub.call('POST', '/users', { body: { usernames } })
  await hub.call('POST', '/users/bench')
  const { token } = (await hub.call('POST', '/users/bench/tokens')).json as unknown as { token: string }
  return { url: hub.url, pid: hub.pid, token, call: hub.call }
}

async function both<Result>(
  ours: Contender,
  peer: Contender,
  measure: (hub: Contender) => Promise<Result>,
): Promise<[ours: Result, peer: Result]> {
  // One after the other in the same minute: what else the machine does weighs on both.
  return [await measure(ours), await measure(peer)]
}

function residentMiB(pid: number): number {
  return (Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096) / 1024 ** 2
}

const times = (count: number, run: (index: number) => Promise<number>) =>
  Array.from({ length: count }).reduce<Promise<number[]>>(
    async (all, _, index) => [...(await all), await run(index)],
    Promise.resolve([]),
  )

let peerStart = 0
let oursStart = 0
peerStart = performance.now()
await using jupyterhub = await startJupyterHub()
peerStart = performance.now() - peerStart
oursStart = performance.now()
await using hub = await startHub({ spawner: { command: FAKE_SERVER, poll_interval: 2 }, log_level: 'warn' })
oursStart = performance.now() - oursStart
report('start to health', oursStart, peerStart, 'ms', false)

const ours = await prepare({ url: hub.url, pid: hub.pid(), call: hub.call })
const peer = await prepare({ url: jupyterhub.url, pid: jupyterhub.pid, call: jupyterhub.call })

for (const clients of [1, 16]) {
  const [a, b] = await both(ours, peer, ({ url, token }) => load(`${url}hub/api/users/bench`, token, clients, LOAD_MS))
  report(`GET user, ${clients} clients`, a.rate, b.rate, '/s', true)
  report(`GET user, ${clients} clients, p99`, a.p99, b.p99, 'ms', false)
}
for (const clients of [1, 16]) {
  const [a, b] = await both(ours, peer, ({ url }) => load(`${url}hub/api/users/bench`, TOKEN, clients, LOAD_MS))
  report(`GET user, token from configuration, ${clients} clients`, a.rate, b.rate, '/s', true)
}
for (const [what, path] of [
  ['GET root', 'hub/api/'],
  ['GET health', 'hub/health'],
] as const) {
  const [a, b] = await both(ours, peer, ({ url, token }) => load(`${url}${path}`, token, 16, LOAD_MS))
  report(`${what}, 16 clients`, a.rate, b.rate, '/s', true)
}
{
  const [a, b] = await both(ours, peer, ({ url }) => load(`${url}hub/api/users`, TOKEN, 4, LOAD_MS))
  report('GET users, 204 users, 4 clients', a.rate, b.rate, '/s', true)
}
{
  const create = ({ call }: Contender) => times(20, (index) => timed(() => call('POST', `/users/new-${index}`)))
  const [a, b] = await both(ours, peer, create)
  report('create a user, median of 20', median(a), median(b), 'ms', false)
}
{
  const usernames = Array.from({ length: 200 }, (_, index) => `many-${index}`)
  const [a, b] = await both(ours, peer, ({ call }) => timed(() => call('POST', '/users', { body: { usernames } })))
  report('create 200 users in one call', a, b, 'ms', false)
}
{
  const runs = async ({ call }: Contender) => {
    const starts: number[] = []
    const stops: number[] = []
    for (let index = 0; index < 7; index += 1) {
      const name = `user-${index}`
      starts.push(await timed(() => call('POST', `/users/${name}/server`)))
      while ((await call('GET', `/users/${name}`)).json['server'] === null)
        await new Promise((go) => setTimeout(go, 20))
      stops.push(await timed(() => call('DELETE', `/users/${name}/server`)))
    }
    return { start: median(starts), stop: median(stops) }
  }
  const [a, b] = await both(ours, peer, runs)
  report('spawn, median of 7 (the server itself is a bare Node)', a.start, b.start, 'ms', false)
  report('stop, median of 7', a.stop, b.stop, 'ms', false)
}
report('resident memory of the hub, 420 users', residentMiB(ours.pid), residentMiB(peer.pid), 'MiB', false)

const width = Math.max(...rows.map(({ what }) => what.length))
console.log(`${'what'.padEnd(width)}  ${'ours'.padStart(10)}  ${'JupyterHub'.padStart(10)}   better`)
for (const { what, ours: left, peer: right, ratio } of rows) {
  console.log(`${what.padEnd(width)}  ${left.padStart(10)}  ${right.padStart(10)}  ${ratio.padStart(7)}`)
}
