import type { ProbeResult } from './result.ts'

/** Told of a run's progress; lines are free of secrets. */
export interface RunListener {
  started?(id: string): void
  line?(id: string, line: string): void
  finished?(result: ProbeResult): void
}
