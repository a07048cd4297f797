import type { Entry } from '../config/config.ts'
import { messageOf, ProbeError } from '../errors.ts'
import type { HelperPool } from '../isolation/pool.ts'
import type { LineKind, ProbeContext } from '../probes/probe.ts'
import type { Chain } from './chain.ts'
import { logLine } from './log-line.ts'
import { judgeMetrics, Samples } from './metrics.ts'
import type { ProbeResult, Status } from './result.ts'
import type { RunListener } from './listener.ts'
import type { Redactor } from './secrets.ts'

interface Surroundings {
  readonly runId: string
  readonly pool: HelperPool
  readonly redactor: Redactor
  readonly chain: Chain
  readonly listener: RunListener | undefined
  readonly inRun: (id: string) => boolean
}

/** Time that a probe has to notice its own limit before its verdict is given without it, in milliseconds. */
const graceMs = 400

/** One probe in one run. */
export class ProbeRun {
  readonly #entry: Entry
  readonly #around: Surroundings
  readonly #samples = new Samples()
  readonly #lines: string[] = []
  #startedAt = Date.now()
  #over = false

  constructor(entry: Entry, around: Surroundings) {
    this.#entry = entry
    this.#around = around
  }

  /** Gives the result of a probe that cannot be run. */
  skip(reason: string): ProbeResult {
    return this.#finish('skipped', new ProbeError('PROBE_NEEDS', reason), 0)
  }

  /** Runs the probe; never rejects, and is over soon after its limit whatever the probe does. */
  async run(stop: AbortSignal): Promise<ProbeResult> {
    const { probe, timeoutSeconds } = this.#entry
    this.#around.listener?.started?.(probe.id)
    this.#startedAt = Date.now()
    const began = performance.now()
    const own = new AbortController()
    const { promise: overdue, reject } = Promise.withResolvers<never>()
    let grace: NodeJS.Timeout | undefined
    const end = (error: ProbeError) => {
      own.abort(error)
      grace ??= setTimeout(() => reject(error), graceMs)
    }
    const late = () => end(new ProbeError('PROBE_TIMEOUT', `${probe.id} was not over within ${timeoutSeconds} s`))
    const cut = () => end(new ProbeError('PROBE_CANCELLED', 'The run was ended while this probe ran'))
    const timer = setTimeout(late, timeoutSeconds * 1000)
    stop.addEventListener('abort', cut)
    overdue.catch(() => {})
    this.#logParameters()
    try {
      await Promise.race([
        probe.run(this.#context(own.signal, began + timeoutSeconds * 1000), this.#entry.values),
        overdue,
      ])
      return this.#finish('pass', undefined, (performance.now() - began) / 1000)
    } catch (error) {
      const expected = error instanceof ProbeError && error.code !== 'PROBE_CRASHED' && error.code !== 'PROBE_CANCELLED'
      return this.#finish(expected ? 'fail' : 'error', error, (performance.now() - began) / 1000)
    } finally {
      clearTimeout(timer)
      clearTimeout(grace)
      stop.removeEventListener('abort', cut)
    }
  }

  #context(signal: AbortSignal, deadline: number): ProbeContext {
    const { chain, inRun, pool, runId } = this.#around
    const { id } = this.#entry.probe
    return {
      signal,
      deadline,
      runId,
      inRun,
      chain: chain.shared,
      log: (kind, message, value) => this.#log(kind, message, value),
      measure: (measurement) => this.#samples.add(measurement),
      defer: (what, cleanup) => chain.defer({ id, what, cleanup, deadline }),
      isolated: (operation, input, options) =>
        pool.run(operation, input, {
          path: options.path,
          signal,
          timeoutMs: Math.max(1, Math.min(options.timeoutMs ?? Infinity, deadline - performance.now())),
        }),
    }
  }

  /** Each log of the original opens with what the probe was told. */
  #logParameters(): void {
    const { probe, values } = this.#entry
    this.#log('PARAMS', `Test name ${probe.logName}`)
    this.#log('PARAMS', `Test time ${Math.floor(this.#startedAt / 1000)}`)
    this.#log('PARAMS', 'Log folder logs')
    for (const [name, param] of Object.entries(probe.params)) {
      this.#log('PARAMS', `Param ${name} has value ${param.secret ? '***' : show(values[name])}`)
    }
  }

  #log(kind: LineKind, message: string, value?: string): void {
    // A probe that was given up may still speak; its result is written.
    if (this.#over) return
    const line = this.#around.redactor.clean(logLine(kind, Date.now(), message, value))
    this.#lines.push(line)
    this.#around.listener?.line?.(this.#entry.probe.id, line)
  }

  #finish(status: Status, error: unknown, seconds: number): ProbeResult {
    const { probe, thresholds } = this.#entry
    if (status !== 'skipped') this.#samples.add({ name: 'seconds', value: seconds, unit: 's' })
    const metrics = this.#samples.metrics(thresholds)
    const judged: { status: Status; message?: string } = status === 'pass' ? judgeMetrics(metrics) : { status }
    const code = error instanceof ProbeError ? error.code : error === undefined ? undefined : 'PROBE_CRASHED'
    const message = error === undefined ? judged.message : messageOf(error)
    if (message !== undefined && status !== 'skipped') {
      this.#log(judged.status === 'warn' ? 'WARNING' : 'ERROR', message)
    }
    this.#over = true
    const result: ProbeResult = {
      id: probe.id,
      group: probe.group,
      name: probe.name,
      status: judged.status,
      code: code ?? (judged.status === 'pass' ? undefined : 'PROBE_THRESHOLD'),
      message: message === undefined ? undefined : this.#around.redactor.clean(message),
      startedAt: this.#startedAt,
      endedAt: Date.now(),
      seconds,
      metrics,
      samples: this.#samples.values,
      lines: this.#lines,
      left: [],
    }
    this.#around.listener?.finished?.(result)
    return result
  }
}

function show(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'text' in value) return String(value.text)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
