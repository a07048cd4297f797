import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import type { Entry } from '../config/config.ts'
import { HelperPool } from '../isolation/pool.ts'
import { mountOf, readMounts } from '../isolation/mountinfo.ts'
import { Chain } from './chain.ts'
import { Lanes } from './lanes.ts'
import type { RunListener } from './listener.ts'
import { type Node, planRun } from './plan.ts'
import { ProbeRun } from './probe-run.ts'
import { passed, type ProbeResult, type Report } from './result.ts'
import { Redactor } from './secrets.ts'

export interface RunOptions {
  /** Ends the run early: what runs is cut, what waits is skipped, clean-ups still happen. */
  readonly signal?: AbortSignal
  readonly listener?: RunListener
  /** Longest part of the run that probes may use, in seconds; clean-ups come on top. */
  readonly deadlineSeconds?: number
  /** Children to use; by default the run has its own. */
  readonly pool?: HelperPool
}

/** Runs probes: chains in their order, probes of one mount one after another, everything else at once. */
export async function runProbes(entries: readonly Entry[], options: RunOptions = {}): Promise<Report> {
  const startedAt = Date.now()
  const began = performance.now()
  const runId = `${startedAt.toString(36)}-${randomBytes(4).toString('hex')}`
  const redactor = new Redactor(entries)
  await using own = options.pool === undefined ? new HelperPool() : undefined
  const pool = options.pool ?? own
  if (pool === undefined) throw new TypeError('Expected a pool')
  const stop = new AbortController()
  const cut = () => stop.abort()
  if (options.signal?.aborted === true) cut()
  options.signal?.addEventListener('abort', cut)
  let late = false
  const onDeadline = () => {
    late = true
    cut()
  }
  const timer =
    options.deadlineSeconds === undefined ? undefined : setTimeout(onDeadline, options.deadlineSeconds * 1000)

  const nodes = planRun(entries)
  const ids = new Set(nodes.map((node) => node.id))
  const lanes = new Lanes()
  const results = new Map<string, Promise<ProbeResult>>()
  const chains = new Map<string, Chain>()
  for (const { chain } of nodes) if (!chains.has(chain)) chains.set(chain, new Chain(pool))

  const runNode = async (node: Node): Promise<ProbeResult> => {
    // Results are looked up a tick later, when every probe has its promise.
    await Promise.resolve()
    const before = await Promise.all(node.after.flatMap((id) => results.get(id) ?? []))
    const blocker = before.find((result) => node.needs.includes(result.id) && !passed(result.status))
    const run = new ProbeRun(node.entry, {
      runId,
      pool,
      redactor,
      chain: chains.get(node.chain) ?? new Chain(pool),
      listener: options.listener,
      inRun: (id) => ids.has(id),
    })
    if (blocker !== undefined) return run.skip(`${blocker.id} did not pass`)
    return lanes.run(lanesOf(node.entry), async () => {
      // The clock of a probe starts when there is somebody to do its work.
      if (node.entry.probe.places !== undefined) await pool.warm()
      return stop.signal.aborted ? run.skip('the run was ended before its turn') : run.run(stop.signal)
    })
  }
  if (entries.some((entry) => entry.probe.places !== undefined)) void pool.warm()
  for (const node of nodes) results.set(node.id, runNode(node))

  const settled = await Promise.all(
    [...chains].map(async ([key, chain]) => {
      const members = nodes.filter((node) => node.chain === key)
      const done = await Promise.all(members.flatMap((node) => results.get(node.id) ?? []))
      const left = await chain.cleanUp(late)
      // What could not be put away is told by the probe that made it.
      return done.map((result) => ({ ...result, left: left.get(result.id) ?? [] }))
    }),
  )
  clearTimeout(timer)
  options.signal?.removeEventListener('abort', cut)
  const byId = new Map(settled.flat().map((result) => [result.id, result]))
  return {
    runId,
    host: hostname(),
    startedAt,
    seconds: (performance.now() - began) / 1000,
    cut: stop.signal.aborted,
    results: nodes.flatMap((node) => byId.get(node.id) ?? []),
  }
}

/** Probes that work on one mount disturb each other's measurements, and a dead mount must not meet several at once. */
function lanesOf(entry: Entry): readonly string[] {
  const places = entry.probe.places?.(entry.values) ?? []
  if (places.length === 0) return []
  const mounts = readMounts()
  return places.map((place) => mountOf(place, mounts)?.device ?? place)
}
