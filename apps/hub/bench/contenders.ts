import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { FAKE_SERVER, startJupyterHub } from '../test/support/jupyterhub.ts'
import { type Answer, type CallOptions, startHub, type TestHub } from '../test/support/running-hub.ts'
import { timed } from './load.ts'

/** How much is done of each thing. */
export interface BenchSize {
  /** Length of the load before the measured ones, in milliseconds: both sides compile what is used much. */
  readonly warmMs: number
  /** Length of one load, in milliseconds. */
  readonly loadMs: number
  /** How often something is repeated that is counted in medians. */
  readonly times: number
}

/** A hub that is measured. */
export interface Contender {
  readonly url: string
  readonly pid: number
  readonly call: (method: string, path: string, options?: CallOptions) => Promise<Answer>
  /** The process of its proxy, which changes when it is replaced. */
  readonly proxyPid: () => number
  /** How long the start took, until its health could be asked through the proxy, in milliseconds. */
  readonly startMs: number
}

/** Both hubs, running on this machine. */
export interface Contenders extends AsyncDisposable {
  readonly ours: Contender & { readonly hub: TestHub }
  readonly peer: Contender
}

/** As `hub` runs it: built, with the flags of the first line of `main.js`. */
const BUILT = ['--max-semi-space-size=4', path.resolve(import.meta.dirname, '../dist/main.js')]

/** Starts the real JupyterHub and the built hub, with the same single-user server. */
export async function startBoth(): Promise<Contenders> {
  await using stack = new AsyncDisposableStack()
  let peer: Awaited<ReturnType<typeof startJupyterHub>> | undefined
  const peerMs = await timed(async () => (peer = await startJupyterHub()))
  if (peer === undefined) throw new Error('JupyterHub did not start')
  const jupyterhub = stack.use(peer)
  const settings = { spawner: { command: FAKE_SERVER, poll_interval: 2 }, log_level: 'warn' }
  let ours: TestHub | undefined
  const oursMs = await timed(async () => (ours = await startHub(settings, BUILT)))
  if (ours === undefined) throw new Error('The hub did not start')
  const hub = stack.use(ours)
  const kept = stack.move()
  return {
    ours: {
      hub,
      url: hub.url,
      pid: hub.pid(),
      call: hub.call,
      startMs: oursMs,
      proxyPid: () =>
        (JSON.parse(readFileSync(path.join(hub.dir, 'data', 'proxy.json'), 'utf8')) as { readonly pid: number }).pid,
    },
    peer: {
      url: jupyterhub.url,
      pid: jupyterhub.pid,
      call: jupyterhub.call,
      startMs: peerMs,
      proxyPid: () => childRunning(jupyterhub.pid, 'configurable-http-proxy'),
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function childRunning(parent: number, program: string): number {
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${entry}/stat`, 'latin1').split(') ')[1]?.split(' ')
      if (Number(fields?.[1]) !== parent) continue
      if (readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(program)) return Number(entry)
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`Process ${parent} runs no ${program}`)
}

/** Resident memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  return (Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096) / 1024 ** 2
}

/** Measures one hub after the other in the same minute: what else the machine does weighs on both. */
export async function both<Result>(
  { ours, peer }: Contenders,
  measure: (hub: Contender) => Promise<Result>,
): Promise<{ readonly ours: Result; readonly peer: Result }> {
  const theirs = await measure(peer)
  return { ours: await measure(ours), peer: theirs }
}

/** Does something several times, one after the other. */
export async function repeat<Result>(count: number, run: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let index = 0; index < count; index += 1) results.push(await run(index))
  return results
}
