import { afterAll, vi } from 'vitest'

import { HelperPool } from '../src/isolation/pool.ts'
import type { ProbeResult, Report } from '../src/runner/result.ts'
import { type RunOptions, runProbes } from '../src/runner/run.ts'
import { configOf } from './config.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 })

// One set of children for a test file: starting them would be most of the time.
const pool = new HelperPool()
afterAll(() => pool[Symbol.asyncDispose]())

/** Runs the probes of a YAML text, `tests:` left out. */
export async function runYaml(
  tests: string,
  options: RunOptions & { base?: string; userPath?: string } = {},
): Promise<Report> {
  const indented = tests.replaceAll(/^/gm, '  ')
  return runProbes(configOf(`tests:\n${indented}`, options).entries, { pool, ...options })
}

/** Runs one probe with the values given as JSON. */
export async function runProbe(
  id: string,
  values: Readonly<Record<string, unknown>>,
  options: RunOptions = {},
): Promise<ProbeResult> {
  const [group, name] = id.split('.', 2)
  const report = await runYaml(JSON.stringify({ [group ?? '']: { [name ?? '']: values } }), options)
  const [result] = report.results
  if (result === undefined) throw new Error('Expected one result')
  return result
}

/** Verdicts of a report in short. */
export const verdicts = (report: Report): readonly (readonly [string, string])[] =>
  report.results.map(({ id, status, code }) => [id, code === undefined ? status : `${status} ${code}`])
