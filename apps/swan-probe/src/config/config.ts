import type { Probe } from '../probes/probe.ts'
import type { Thresholds } from './thresholds.ts'

/** One probe with the values that the file gives it. */
export interface Entry {
  readonly probe: Probe
  /** Values by the probe's own parameter names, defaults filled in. */
  readonly values: Readonly<Record<string, unknown>>
  /** Limit in seconds. */
  readonly timeoutSeconds: number
  readonly thresholds: Thresholds
  /** How often `watch` runs it, in seconds; `undefined` for the general period. */
  readonly everySeconds: number | undefined
}

/** The `output` part of the file. */
export interface Output {
  /** Write one log file a probe, as the original does. */
  readonly logging: boolean
  /** Folder of the log files. */
  readonly logFolder: string
}

/** A health set, with the fields that Kubernetes gives its probes. */
export interface HealthSet {
  /** Ids of probes; the set is well when all of them are. */
  readonly probes: readonly string[]
  readonly initialDelaySeconds: number
  readonly periodSeconds: number
  readonly timeoutSeconds: number
  readonly successThreshold: number
  readonly failureThreshold: number
}

export type HealthSetName = 'startup' | 'liveness' | 'readiness'

/** The `watch` part of the file. */
export interface WatchSettings {
  readonly host: string
  readonly port: number
  readonly everySeconds: number
  /** Part of the period by which each run is moved at random, from 0 to 1. */
  readonly jitter: number
  readonly failureThreshold: number
  readonly successThreshold: number
}

/** A whole file, checked. */
export interface Config {
  readonly entries: readonly Entry[]
  readonly output: Output
  readonly health: Readonly<Partial<Record<HealthSetName, HealthSet>>>
  readonly watch: WatchSettings
}
