import type { Config, Entry } from '../config/config.ts'
import { HelperPool } from '../isolation/pool.ts'
import { planRun } from '../runner/plan.ts'
import { passed, type ProbeResult } from '../runner/result.ts'
import { runProbes } from '../runner/run.ts'
import { HealthSets } from './health.ts'
import { outlived } from './outlived.ts'
import { Hysteresis } from './hysteresis.ts'
import { type Clock, repeat, systemClock } from './schedule.ts'

/** How many verdicts are kept of each probe. */
const historyLength = 90

/** One verdict of the past. */
export interface PastVerdict {
  readonly at: number
  readonly status: ProbeResult['status']
  readonly seconds: number
}

/** What the watcher knows of one probe. */
export interface Watched {
  readonly id: string
  readonly entry: Entry
  readonly everySeconds: number
  readonly state: 'up' | 'down' | 'unknown'
  /** When the state last changed, in milliseconds since the epoch. */
  readonly since: number
  readonly last: ProbeResult | undefined
  readonly history: readonly PastVerdict[]
  readonly runs: number
  readonly failures: number
}

interface Memory {
  readonly entry: Entry
  readonly everySeconds: number
  readonly hysteresis: Hysteresis
  since: number
  last: ProbeResult | undefined
  readonly history: PastVerdict[]
  runs: number
  failures: number
}

/** Runs the probes of a file on their schedules and keeps what came out. */
export class Watcher {
  readonly health: HealthSets
  readonly #config: Config
  readonly #clock: Clock
  readonly #memory: ReadonlyMap<string, Memory>

  constructor(config: Config, options: { readonly clock?: Clock } = {}) {
    this.#config = config
    this.#clock = options.clock ?? systemClock
    this.health = new HealthSets(config)
    this.#memory = new Map(
      config.entries.map((entry) => [
        entry.probe.id,
        {
          entry,
          everySeconds: entry.everySeconds ?? config.watch.everySeconds,
          hysteresis: new Hysteresis(config.watch),
          since: this.#clock.now(),
          last: undefined,
          history: [],
          runs: 0,
          failures: 0,
        },
      ]),
    )
  }

  /** What is known of every probe, in the order of the file. */
  get probes(): readonly Watched[] {
    return [...this.#memory].map(([id, { hysteresis, ...rest }]) => ({ id, ...rest, state: hysteresis.state }))
  }

  /** Watches until the signal; then waits for what runs to be put away. */
  async run(signal: AbortSignal): Promise<void> {
    await using pool = new HelperPool()
    const clock = this.#clock
    const { jitter } = this.#config.watch
    const loops = this.#units().map((entries) => {
      const periods = entries.map(
        (entry) => this.#memory.get(entry.probe.id)?.everySeconds ?? this.#config.watch.everySeconds,
      )
      const task = async () => {
        const report = await outlived(() => runProbes(entries, { signal, pool }))
        if (report?.cut === false) for (const result of report.results) this.observe(result)
      }
      return repeat(task, { periodMs: Math.min(...periods) * 1000, jitter, clock, signal })
    })
    await Promise.all([...loops, this.health.watch({ clock, signal, pool })])
  }

  /** Takes one verdict in. A skipped probe says nothing about what it looks at. */
  observe(result: ProbeResult): void {
    const memory = this.#memory.get(result.id)
    if (memory === undefined) return
    const { status, seconds } = result
    memory.last = result
    memory.history.push({ at: result.endedAt, status, seconds })
    if (memory.history.length > historyLength) memory.history.shift()
    if (status === 'skipped') return
    memory.runs++
    if (!passed(status)) memory.failures++
    if (memory.hysteresis.observe(passed(status))) memory.since = this.#clock.now()
  }

  /** Probes of one chain are run together, all others on their own. */
  #units(): readonly (readonly Entry[])[] {
    const units = new Map<string, Entry[]>()
    for (const { chain, entry } of planRun(this.#config.entries)) {
      units.set(chain, [...(units.get(chain) ?? []), entry])
    }
    return [...units.values()]
  }
}
