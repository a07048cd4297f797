import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { type RedisServer, startRedis } from '@org/services'
import pg from 'pg'

import type { ChaosOrder, Failpoint } from './process.ts'
import { random } from './random.ts'

/** One run of the chaos command. */
export interface ChaosOptions {
  readonly driver: 'postgres' | 'redis'
  /** An empty database; the run makes its tables in it. */
  readonly url: string
  readonly jobs: number
  readonly kills: number
  readonly seed: number
  /** Wait at the end for effects that come twice, in milliseconds. @default 5000 */
  readonly settleMs?: number
  readonly log?: (line: string) => void
}

/** What is left when the dust has settled. */
export interface ChaosResult {
  readonly lost: number
  readonly doubled: number
  readonly kills: Readonly<Record<string, number>>
  readonly seconds: number
}

const WORKERS = 3
/** No progress for this long means that what is missing is lost, in milliseconds. */
const PATIENCE_MS = 60_000

/** Runs jobs that change one row each while everything that takes part is killed, and counts rows. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { driver, url, jobs, seed, settleMs = 5000, log = () => {} } = options
  const pick = random(seed)
  const client = new pg.Client({ connectionString: url })
  // Killing connections may hit this one's neighbours, never itself.
  client.on('error', () => {})
  await client.connect()
  await client.query('create table orders (n int primary key, effects int not null)')
  const dir = mkdtempSync(path.join(tmpdir(), 'chaos-'))
  let redis: RedisServer | undefined = driver === 'redis' ? await startRedis({ appendOnly: true, dir }) : undefined
  const redisUrl = redis?.url ?? ''
  const order = { driver, url, redisUrl, jobs }
  let over = false

  const start = (role: ChaosOrder['role']): ChildProcess => {
    const child = fork(path.join(import.meta.dirname, 'process.ts'), [JSON.stringify({ ...order, role })], {
      execArgv: ['--conditions=@org/source'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.on('exit', (code) => {
      // A process that was killed comes back; a producer that is done does not.
      if (over || code === 0) return
      if (role === 'worker') workers[workers.indexOf(child)] = start(role)
      else producer = start(role)
    })
    return child
  }
  const workers: ChildProcess[] = []
  for (let index = 0; index < WORKERS; index += 1) workers.push(start('worker'))
  let producer = start('producer')

  const kills = {
    worker: () => void workers[pick(WORKERS)]?.kill('SIGKILL'),
    producer: () => void producer.kill('SIGKILL'),
    relay: () => void workers[pick(WORKERS)]?.send((['before-add', 'after-add'] satisfies Failpoint[])[pick(2)]!),
    redis: async () => {
      await redis?.kill()
      await delay(pick(300))
      redis = await startRedis({ appendOnly: true, dir, port: redis!.port })
    },
    connections: () =>
      client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`,
      ),
  }
  const kinds =
    driver === 'redis'
      ? (['worker', 'producer', 'relay', 'redis'] as const)
      : (['worker', 'producer', 'connections'] as const)
  const counted: Record<string, number> = {}

  const progress = async () => {
    const { rows } = await client.query<{ made: number; done: number }>(
      'select count(*)::int as made, count(*) filter (where effects > 0)::int as done from orders',
    )
    return rows[0]!
  }
  const begun = performance.now()
  try {
    let killed = 0
    let last = { done: -1, at: performance.now() }
    for (;;) {
      const { made, done } = await progress()
      if (done !== last.done) last = { done, at: performance.now() }
      if (made === jobs && done === jobs) break
      if (performance.now() - last.at > PATIENCE_MS) break
      // Tied to progress and not to time, so that a slow machine is killed as often as a fast one.
      if (killed < options.kills && done >= ((killed + 1) * jobs) / (options.kills + 1)) {
        const kind = kinds[killed % kinds.length]!
        killed += 1
        counted[kind] = (counted[kind] ?? 0) + 1
        log(`${done} of ${jobs} done: kill ${killed}, ${kind}`)
        await kills[kind]()
      }
      await delay(20)
    }
    // Whatever would have its effect a second time gets the time to do so.
    await delay(settleMs)
    const { rows } = await client.query<{ effects: number }>('select effects from orders')
    return {
      lost: jobs - rows.length + rows.filter(({ effects }) => effects === 0).length,
      doubled: rows.filter(({ effects }) => effects > 1).length,
      kills: counted,
      seconds: Math.round((performance.now() - begun) / 100) / 10,
    }
  } finally {
    over = true
    await Promise.all([...workers, producer].map(end))
    await redis?.[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
    await client.end()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}
