import { parseRange } from '../src/config/thresholds.ts'
import type { ProbeResult, Report } from '../src/runner/result.ts'

const start = Date.UTC(2026, 2, 1, 12)

/** A result with what a test cares about. */
export function resultOf(changes: Partial<ProbeResult> = {}): ProbeResult {
  const group = changes.group ?? 'storage'
  const name = changes.name ?? 'write'
  return {
    id: `${group}.${name}`,
    group,
    name,
    status: 'pass',
    code: undefined,
    message: undefined,
    startedAt: start,
    endedAt: start + 250,
    seconds: 0.25,
    metrics: [{ name: 'seconds', value: 0.25, unit: 's', warn: undefined, crit: undefined }],
    samples: { seconds: [0.25] },
    lines: ['[INFO] 1772366400.0000 write| File 0.txt of size 1M successfully written'],
    left: [],
    ...changes,
  }
}

/** Text that every form has to escape in its own way. */
export const nasty = `<b>"it's" & |pipe| \\back ]]> \u0007bell\nsecond line 😀 {}`

/** A report with every kind of verdict, and texts that are hard to write. */
export const mixedReport: Report = {
  runId: 'run-1',
  host: 'probe-host',
  startedAt: start,
  seconds: 1.5,
  cut: false,
  results: [
    resultOf({
      metrics: [
        { name: 'write_mb_per_s', value: 480.25, unit: 'MB/s', warn: parseRange('100:'), crit: parseRange('~:1000') },
        { name: 'seconds', value: 0.25, unit: 's', warn: parseRange('1'), crit: undefined },
        { name: 'odd', value: NaN, unit: 'count', warn: undefined, crit: undefined },
      ],
      samples: { write_mb_per_s: [300, 480.25, 500], seconds: [0.25] },
    }),
    resultOf({ name: 'throughput', status: 'warn', code: 'PROBE_THRESHOLD', message: 'write_mb_per_s is 90 MB/s' }),
    resultOf({
      name: 'checksum',
      status: 'fail',
      code: 'PROBE_CORRUPT',
      message: nasty,
      lines: [nasty],
      left: [nasty],
    }),
    resultOf({
      group: 'database',
      name: 'token',
      status: 'error',
      code: 'PROBE_CRASHED',
      message: 'x is not a function',
    }),
    resultOf({
      group: 'database',
      name: 'servers',
      status: 'skipped',
      code: 'PROBE_NEEDS',
      message: 'not reached',
      metrics: [],
      lines: [],
      seconds: 0,
    }),
  ],
}
