import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

import Docker from 'dockerode'
import { Client } from 'pg'

import { createProvisioner } from '../../src/index.ts'
import { cutProxy } from '../faults/cut-proxy.ts'

/** Where a run takes place. */
export interface Arena {
  readonly root: string
  readonly image: string
  /** By which a later run finds what a killed one left. */
  readonly labels: Readonly<Record<string, string>>
}

const PASSWORD = 'chaos'
const docker = new Docker()
const label = ({ root }: Arena) => `container-pg.root=${root}`

type Worker = ChildProcessByStdio<Writable, Readable, null>

function startWorker(
  { root, image, labels }: Arena,
  mode: 'live' | 'race',
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): { worker: Worker; lines: AsyncIterator<string> } {
  const file = path.join(import.meta.dirname, 'worker.ts')
  const worker = spawn(process.execPath, [file, mode, root, image, name, PASSWORD, JSON.stringify(labels)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env,
  })
  return { worker, lines: createInterface({ input: worker.stdout })[Symbol.asyncIterator]() }
}

/** When to kill: so many milliseconds after the service's start, or after it had made its server. */
export interface Moment {
  readonly after: 'start' | 'created'
  readonly ms: number
}

/** What was left of one kill after one reconcile. */
export interface Aftermath {
  readonly lost: number
  readonly orphans: number
  /** The next create did not lead to a login. */
  readonly bricked: boolean
}

/** What one kill led to. */
export interface CrashReport extends Aftermath {
  readonly victim: 'provisioner' | 'container'
  readonly moment: Moment
  readonly acknowledged: number
}

/** Kills a service or its container at a moment, and looks what is left. */
export async function crash(
  arena: Arena,
  victim: CrashReport['victim'],
  moment: Moment,
  name: string,
): Promise<CrashReport> {
  const { worker, lines } = startWorker(arena, 'live', name)
  let acknowledged = 0
  const created = Promise.withResolvers<void>()
  const listening = (async () => {
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      const [word, value] = next.value.split(' ')
      if (word === 'created') created.resolve()
      if (word === 'acknowledged') acknowledged = Number(value)
    }
    created.resolve()
  })()
  if (moment.after === 'created') await created.promise
  await delay(moment.ms)
  if (victim === 'container') {
    for (const { Id } of await docker.listContainers({ filters: { label: [label(arena)] } })) {
      await docker
        .getContainer(Id)
        .kill({ signal: 'SIGKILL' })
        .catch(() => {})
    }
    // The service lives on and meets what happened; then it goes too.
    await delay(300)
  }
  worker.kill('SIGKILL')
  await listening
  return { victim, moment, acknowledged, ...(await aftermath(arena, name, acknowledged)) }
}

/** Kills a service at the moment at which it asks the engine for something, and looks what is left. */
export async function crashAt(arena: Arena, step: RegExp, cut: 'before' | 'after', name: string): Promise<Aftermath> {
  let kill = () => {}
  await using proxy = await cutProxy({ on: step, cut, meanwhile: () => kill() })
  const { worker, lines } = startWorker(arena, 'live', name, {
    ...process.env,
    DOCKER_HOST: `unix://${proxy.socketPath}`,
  })
  kill = () => void worker.kill('SIGKILL')
  let acknowledged = 0
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const [word, value] = next.value.split(' ')
    if (word === 'acknowledged') acknowledged = Number(value)
  }
  await proxy.done
  return aftermath(arena, name, acknowledged)
}

/** Puts things right once, and looks what is left. */
async function aftermath(arena: Arena, name: string, acknowledged: number): Promise<Aftermath> {
  const provisioner = await createProvisioner({ storageRoot: arena.root, image: arena.image, labels: arena.labels })
  await provisioner.reconcile()
  const known = new Set(
    (await provisioner.list()).filter(({ state }) => state !== 'creating').map((server) => server.name),
  )
  const containers = await docker.listContainers({ all: true, filters: { label: [label(arena)] } })
  const orphans = containers.filter(({ Labels }) => !known.has(Labels['container-pg.name'] ?? '')).length
  try {
    const server = await provisioner.create({ name, adminPassword: PASSWORD })
    const client = new Client({ ...server.connection, password: PASSWORD })
    await client.connect()
    const { rows } = await client.query<{ n: number }>(
      acknowledged === 0 ? 'SELECT 0 AS n' : `SELECT count(*)::int AS n FROM written WHERE n <= ${acknowledged}`,
    )
    await client.end()
    return { lost: acknowledged - (rows[0]?.n ?? 0), orphans, bricked: false }
  } catch (error) {
    console.error(error)
    return { lost: acknowledged, orphans, bricked: true }
  } finally {
    await provisioner.remove(name, { keepData: false }).catch(() => {})
  }
}

/** What one race led to. */
export interface RaceReport {
  readonly winners: number
  /** Code that the loser got. */
  readonly refusal: string
  /** How long the loser waited for it, in milliseconds. */
  readonly loserMs: number
}

/** Lets two processes want one folder at the same moment, again and again. */
export async function* races(arena: Arena, rounds: number): AsyncGenerator<RaceReport> {
  const workers = [startWorker(arena, 'race', ''), startWorker(arena, 'race', '')]
  const hear = async () =>
    Promise.all(workers.map(async ({ lines }) => ((await lines.next()).value as string).split(' ')))
  const provisioner = await createProvisioner({ storageRoot: arena.root, image: arena.image, labels: arena.labels })
  try {
    await hear()
    for (let round = 0; round < rounds; round += 1) {
      workers.forEach(({ worker }, index) => worker.stdin.write(`racer-${round}-${index} shared-${round}\n`))
      const answers = await hear()
      const loser = answers.find(([outcome]) => outcome !== 'OK')
      yield {
        winners: answers.filter(([outcome]) => outcome === 'OK').length,
        refusal: loser?.[0] ?? 'none',
        loserMs: Number(loser?.[1] ?? 0),
      }
      for (const { name } of await provisioner.list()) await provisioner.remove(name, { keepData: false })
    }
  } finally {
    for (const { worker } of workers) worker.kill('SIGKILL')
    for (const { worker } of workers)
      if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit')
  }
}

/** Lets two processes ask for the same server at the same moment; tells what they heard and how many containers there are. */
export async function twins(arena: Arena): Promise<{ outcomes: string[]; containers: number }> {
  const workers = [startWorker(arena, 'race', ''), startWorker(arena, 'race', '')]
  const hear = () => Promise.all(workers.map(async ({ lines }) => ((await lines.next()).value as string).split(' ', 1)))
  try {
    await hear()
    for (const { worker } of workers) worker.stdin.write('twin twin\n')
    const outcomes = (await hear()).flat()
    const containers = await docker.listContainers({ all: true, filters: { label: [label(arena)] } })
    return { outcomes, containers: containers.length }
  } finally {
    for (const { worker } of workers) worker.kill('SIGKILL')
    const provisioner = await createProvisioner({ storageRoot: arena.root, image: arena.image, labels: arena.labels })
    await provisioner.remove('twin', { keepData: false })
  }
}

/** Numbers from 0 to 1 that a seed repeats. Mulberry32, by Tommy Ettinger, in the public domain. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
