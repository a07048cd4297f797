import type { Range } from '../config/thresholds.ts'
import type { ProbeErrorCode } from '../errors.ts'
import type { Group, Measurement } from '../probes/probe.ts'

/**
 * Verdict of one probe. `fail`: what it looks at is not well. `error`: the probe itself broke. `warn`: well, and beyond
 * a warning limit. `skipped`: something it needs did not pass, so nothing is known.
 */
export type Status = 'pass' | 'warn' | 'fail' | 'error' | 'skipped'

/** A measurement in a report, with percentiles worked out and limits attached. */
export interface Metric {
  readonly name: string
  readonly value: number
  readonly unit: Measurement['unit']
  readonly warn: Range | undefined
  readonly crit: Range | undefined
}

/** What became of one probe. */
export interface ProbeResult {
  readonly id: string
  readonly group: Group
  readonly name: string
  readonly status: Status
  readonly code: ProbeErrorCode | undefined
  /** Reason of anything but a pass, in one line. */
  readonly message: string | undefined
  /** Start and end, in milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number
  /** How long it ran, clean-up not included. */
  readonly seconds: number
  readonly metrics: readonly Metric[]
  /** Samples by measurement, for drawing. */
  readonly samples: Readonly<Record<string, readonly number[]>>
  /** Lines of its log, in the original's form. */
  readonly lines: readonly string[]
  /** What could not be put away. */
  readonly left: readonly string[]
}

/** A whole run. */
export interface Report {
  readonly runId: string
  readonly host: string
  readonly startedAt: number
  readonly seconds: number
  /** The run was interrupted or ran into its deadline. */
  readonly cut: boolean
  /** In the order of the file. */
  readonly results: readonly ProbeResult[]
}

/** Tells whether a verdict counts as passed. */
export const passed = (status: Status): boolean => status === 'pass' || status === 'warn'

/** Exit code of a run: 0 when all passed, 1 otherwise. */
export function exitCodeOf(report: Report): 0 | 1 {
  return report.results.every((result) => passed(result.status)) ? 0 : 1
}
