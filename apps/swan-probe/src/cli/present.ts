import type { Entry, Output } from '../config/config.ts'
import { messageOf } from '../errors.ts'
import type { HelperPool } from '../isolation/pool.ts'
import { printableLine } from '../printable.ts'
import { LiveProgress } from '../reports/live.ts'
import { renderReport } from '../reports/render.ts'
import { writeAtomic } from '../reports/write-atomic.ts'
import { writeLogFiles } from '../runner/log-files.ts'
import { exitCodeOf, type Report } from '../runner/result.ts'
import { runProbes } from '../runner/run.ts'
import { untilInterrupt } from './interrupt.ts'
import type { Format } from './formats.ts'

interface Presentation {
  readonly pool: HelperPool
  readonly formats: readonly Format[]
  readonly output: Output
  readonly deadlineSeconds: number | undefined
  /** Run in this session's container instead of here. */
  readonly session: string | undefined
}

/** Runs probes, shows their progress and writes every report; gives the exit code. */
export async function present(entries: readonly Entry[], how: Presentation): Promise<number> {
  const standard = how.formats.filter((format) => format.file === undefined).map((format) => format.name)
  using interrupt = untilInterrupt()
  const streaming = standard.includes('log')
  using live =
    standard.includes('table') && !streaming && process.stdout.isTTY ? new LiveProgress(process.stdout) : undefined
  const listener = {
    started: (id: string) => live?.started(id),
    line: (_: string, line: string) => {
      if (streaming) process.stdout.write(`${line}\n`)
    },
    finished: (result: Report['results'][number]) => live?.finished(result),
  }
  const options = {
    signal: interrupt.signal,
    listener,
    pool: how.pool,
    ...(how.deadlineSeconds === undefined ? {} : { deadlineSeconds: how.deadlineSeconds }),
  }
  const report =
    how.session === undefined
      ? await runProbes(entries, options)
      : await (await import('../docker/user-mode.ts')).runInContainer(entries, how.session, options)
  live?.clear()
  let exitCode: number = exitCodeOf(report)
  if (how.output.logging) {
    const problem = writeLogFiles(report, how.output.logFolder)
    if (problem !== undefined) process.stderr.write(`swan-probe: ${printableLine(problem)}\n`)
  }
  for (const { name, file } of how.formats) {
    if (name === 'log' && file === undefined) continue
    const colour = file === undefined && process.stdout.isTTY && process.env['NO_COLOR'] === undefined
    const text = await renderReport(name, report, { colour })
    try {
      if (file === undefined) process.stdout.write(text)
      else writeAtomic(file, text)
    } catch (error) {
      process.stderr.write(`swan-probe: \`${file}\` is not written: ${printableLine(messageOf(error))}\n`)
      exitCode ||= 2
    }
  }
  if (streaming) process.stdout.write(await renderReport('log', report, { colour: false }))
  if (standard.length === 1 && standard[0] === 'nagios')
    return (await import('../reports/nagios.ts')).nagiosExitCode(report)
  return exitCode
}
