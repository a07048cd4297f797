import type { Params, Values } from '../config/params.ts'
import type { OperationName, Operations } from '../isolation/operations/index.ts'

/** Kinds of lines in a log, as the original names them. `none` is its line without a kind. */
export type LineKind = 'PARAMS' | 'INFO' | 'PERF' | 'INTEGRITY' | 'WARNING' | 'ERROR' | 'None'

/** Groups as they are spelled in YAML. */
export type Group = 'storage' | 'cvmfs' | 'jupyterhub_api' | 'database' | 'user_docker'

/** A number that a probe took, such as `write_mb_per_s`. */
export interface Measurement {
  /** Lower case with underscores, the unit at the end where it is not seconds. */
  readonly name: string
  readonly value: number
  readonly unit: 's' | 'MB/s' | 'B' | 'count'
}

/** How a probe touches something that may hang: in a child that can be killed. */
interface IsolatedOptions {
  /** Path that decides which mount a stuck child is blamed on. */
  readonly path: string
  /** Limit of this one operation in milliseconds; the probe's own limit applies anyway. */
  readonly timeoutMs?: number
}

/** What the runner lends to a running probe. */
export interface ProbeContext {
  /** Aborts at the probe's limit and on an interrupt; its reason is a {@link ProbeError}. */
  readonly signal: AbortSignal
  /** Unique among all runs on all machines; part of the name of everything that a probe leaves for a moment. */
  readonly runId: string
  /** Moment of the probe's limit, on the clock of `performance.now()`. */
  readonly deadline: number
  /** Adds a line to the log, in the original's form. */
  log(kind: LineKind, message: string, value?: string): void
  /** Records a number; a repeated name adds a sample, and the reports then give percentiles. */
  measure(measurement: Measurement): void
  /** Runs one operation on the file system in a child process. */
  isolated<O extends OperationName>(
    operation: O,
    input: Parameters<Operations[O]>[0],
    options: IsolatedOptions,
  ): Promise<Awaited<ReturnType<Operations[O]>>>
  /** Tells whether a probe is part of this run. */
  inRun(id: string): boolean
  /** Shared by the probes of one chain; a link finds here what an earlier one made. */
  readonly chain: Map<string, unknown>
  /**
   * Registers what must be put away when the chain is over, whatever happened. Last registered, first run.
   *
   * @param what - Named in the report when it cannot be put away.
   */
  defer(what: string, cleanup: Cleanup): void
}

/** What the runner lends to a clean-up; it has its own limit. */
export type Cleanup = (context: Pick<ProbeContext, 'signal' | 'isolated'>) => Promise<void>

/** How probes of one file depend on each other. */
export interface Order {
  /** Things under this key are put away together, when the last probe of the key is done. */
  readonly chain: string
  /** Ids of probes that come first, if they are in the run. */
  readonly after: readonly string[]
  /** Ids among `after` without which this probe makes no sense: it is skipped unless they passed. */
  readonly needs: readonly string[]
}

interface Description<P extends Params> {
  readonly group: Group
  /** Name as it is spelled in YAML. */
  readonly name: string
  /** Other spellings of the name. */
  readonly aliases?: readonly string[]
  /** Name of the log file, as the original has it. */
  readonly logName: string
  /** One sentence: what it does. */
  readonly summary: string
  /** What makes it pass, for `explain`. */
  readonly passes: string
  readonly params: P
  /** Names of the measurements that it records, for `explain` and for checking thresholds. */
  readonly measures: readonly string[]
  /** Limit in seconds when the file gives no `timeout`. */
  timeLimit(values: Values<P>): number
  /** Places in the file system that it works on: probes of one mount run one after another. */
  places?(values: Values<P>): readonly string[]
  order?(values: Values<P>, others: Others): Order | undefined
  run(context: ProbeContext, values: Values<P>): Promise<void>
}

/** The other probes of the run, for `order`. */
export interface Others {
  /** Parameters of a probe, `undefined` when it is not in the run. */
  values(id: string): Readonly<Record<string, unknown>> | undefined
}

/** A probe as the registry holds it, its parameter types forgotten. */
export type Probe = Description<Params> & { readonly id: string }

/**
 * Declares a probe. One file holds one probe; the registry lists it in one line.
 *
 * `run` returns when all is well and throws a {@link ProbeError} with the reason otherwise.
 */
export function defineProbe<const P extends Params>(description: Description<P>): Probe {
  // The runner hands every probe the values that its own `params` read, so the types hold again at the call.
  return { ...(description as unknown as Description<Params>), id: `${description.group}.${description.name}` }
}
