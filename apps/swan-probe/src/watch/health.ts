import type { Config, Entry, HealthSet, HealthSetName } from '../config/config.ts'
import type { HelperPool } from '../isolation/pool.ts'
import { passed, type Report } from '../runner/result.ts'
import { runProbes } from '../runner/run.ts'
import { Hysteresis } from './hysteresis.ts'
import { outlived } from './outlived.ts'
import type { Clock } from './schedule.ts'

/** What a health set says at the moment. */
export interface HealthAnswer {
  readonly ok: boolean
  readonly reason: string
}

/**
 * Startup, liveness and readiness as Kubernetes keeps them: startup holds the other two back until it succeeded once;
 * liveness counts as well until it failed `failureThreshold` times in a row, readiness as not ready until it succeeded.
 * None of them looks at another's probes: a liveness that depends on others restarts what is well.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
export class HealthSets {
  readonly #sets: Config['health']
  readonly #entries: readonly Entry[]
  readonly #machines: Readonly<Record<HealthSetName, Hysteresis>>
  readonly #reasons = new Map<HealthSetName, string>()

  constructor(config: Pick<Config, 'health' | 'entries'>) {
    this.#sets = config.health
    this.#entries = config.entries
    const once = { failureThreshold: 3, successThreshold: 1 }
    this.#machines = {
      startup: new Hysteresis(config.health.startup ?? once, config.health.startup === undefined ? 'up' : 'unknown'),
      liveness: new Hysteresis(config.health.liveness ?? once, 'up'),
      readiness: new Hysteresis(config.health.readiness ?? once, config.health.readiness === undefined ? 'up' : 'down'),
    }
  }

  get names(): readonly HealthSetName[] {
    return (['startup', 'liveness', 'readiness'] as const).filter((name) => this.#sets[name] !== undefined)
  }

  /** Answers for one set; `undefined` when the file has none of that name. */
  answer(name: HealthSetName): HealthAnswer | undefined {
    if (this.#sets[name] === undefined) return undefined
    const started = this.#machines.startup.state === 'up'
    const own = this.#machines[name].state === 'up'
    const ok = name === 'readiness' ? own && started : own
    return { ok, reason: this.#reasons.get(name) ?? (started ? 'no verdict yet' : 'not started yet') }
  }

  /** Takes the outcome of one evaluation. */
  observe(name: HealthSetName, report: Report): void {
    const bad = report.results.filter((result) => !passed(result.status))
    this.#machines[name].observe(bad.length === 0)
    const why = bad.map((result) => `${result.id}: ${result.message ?? result.status}`).join('; ')
    this.#reasons.set(name, bad.length === 0 ? 'ok' : why)
  }

  /** Keeps evaluating the sets until the signal. */
  async watch(options: {
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly pool: HelperPool
  }): Promise<void> {
    const { clock, signal, pool } = options
    const { promise: started, resolve } = Promise.withResolvers<void>()
    if (this.#machines.startup.state === 'up') resolve()
    const loop = async (name: HealthSetName) => {
      const set = this.#sets[name]
      if (set === undefined) return
      await clock.wait(set.initialDelaySeconds * 1000, signal)
      if (name !== 'startup') await Promise.race([started, aborted(signal)])
      while (!signal.aborted) {
        const report = await outlived(() => evaluate(set, this.#entries, { signal, pool }))
        if (report !== undefined) this.observe(name, report)
        if (name === 'startup' && this.#machines.startup.state === 'up') return resolve()
        await clock.wait(set.periodSeconds * 1000, signal)
      }
    }
    await Promise.all(this.names.map(loop))
  }
}

/** Runs the probes of a set once, within its `timeoutSeconds`. */
export function evaluate(
  set: HealthSet,
  entries: readonly Entry[],
  options: { readonly signal?: AbortSignal; readonly pool?: HelperPool } = {},
): Promise<Report> {
  const chosen = entries.filter((entry) => set.probes.includes(entry.probe.id))
  return runProbes(chosen, { ...options, deadlineSeconds: set.timeoutSeconds })
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
