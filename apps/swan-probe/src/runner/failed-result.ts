import type { Entry } from '../config/config.ts'
import { messageOf, ProbeError } from '../errors.ts'
import type { ProbeResult, Status } from './result.ts'

/** Builds the result of a probe whose own words are not to be had. */
export function failedResult(
  { probe }: Entry,
  error: unknown,
  status: Status,
  startedAt: number = Date.now(),
): ProbeResult {
  const now = Date.now()
  return {
    id: probe.id,
    group: probe.group,
    name: probe.name,
    status,
    code: error instanceof ProbeError ? error.code : 'PROBE_CRASHED',
    message: messageOf(error),
    startedAt,
    endedAt: now,
    seconds: (now - startedAt) / 1000,
    metrics: [],
    samples: {},
    lines: [],
    left: [],
  }
}
