import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { messageOf } from '../errors.ts'
import { findProbe } from '../probes/registry.ts'
import { logStamp } from './log-line.ts'
import type { Report } from './result.ts'

/**
 * Writes one log file a probe, named and filled as the original does.
 *
 * @returns why it could not, or `undefined`. A folder that cannot be written loses the files, not the run.
 */
export function writeLogFiles(report: Report, folder: string): string | undefined {
  try {
    mkdirSync(folder, { recursive: true })
    for (const result of report.results) {
      if (result.lines.length === 0) continue
      const name = findProbe(result.group, result.name)?.logName ?? result.name
      const stem = path.join(folder, `${name}_${logStamp(new Date(result.startedAt))}`)
      writeNew(stem, report.runId, `${result.lines.join('\n')}\n`)
    }
    return undefined
  } catch (error) {
    return `Log files are not written: ${messageOf(error)}`
  }
}

/** Another run may have started in the same second; its file stays. */
function writeNew(stem: string, runId: string, text: string): void {
  try {
    writeFileSync(`${stem}.log`, text, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    writeFileSync(`${stem}_${runId}.log`, text, { flag: 'wx' })
  }
}
