import { setTimeout as delay } from 'node:timers/promises'

import { type BenchSize, both, type Contender, type Contenders, repeat } from './contenders.ts'
import { median, timed } from './load.ts'
import type { Row } from './table.ts'

interface Run {
  readonly startMs: number
  /** What the start took beyond the server's own. */
  readonly overMs: number
  /** From the moment the server could answer to the end of the call. */
  readonly gapMs: number
  readonly stopMs: number
}

/** How long starts and stops of a server take that is up as soon as a bare Node. */
export async function servers(hubs: Contenders, { times }: BenchSize): Promise<Row[]> {
  const { ours, peer } = await both(hubs, (hub) => repeat(times, (index) => startAndStop(hub, `starter-${index}`)))
  const row = (what: string, pick: (run: Run) => number, goal: Partial<Row> = {}): Row => ({
    what: `${what}, median`,
    unit: 'ms',
    ours: median(ours.map(pick)),
    peer: median(peer.map(pick)),
    ...goal,
  })
  return [
    row('spawn POST', ({ startMs }) => startMs),
    row("spawn POST, beyond the server's own start", ({ overMs }) => overMs, { atMost: 300 }),
    row('server listens to POST returns', ({ gapMs }) => gapMs, { atMost: 250 }),
    row('stop DELETE of a server that ends at once', ({ stopMs }) => stopMs, { atMost: 200 }),
  ]
}

async function startAndStop({ url, call }: Contender, name: string): Promise<Run> {
  await call('POST', `/users/${name}`)
  const asked = Date.now()
  const { status } = await call('POST', `/users/${name}/server`)
  while (status === 202 && (await call('GET', `/users/${name}`)).json['server'] === null) await delay(10)
  const done = Date.now()
  const { began, listened } = (await (await fetch(`${url}user/${name}/`)).json()) as {
    readonly began: number
    readonly listened: number
  }
  const stopMs = await timed(() => call('DELETE', `/users/${name}/server`))
  const startMs = done - asked
  return { startMs, overMs: startMs - (listened - began), gapMs: done - listened, stopMs }
}
