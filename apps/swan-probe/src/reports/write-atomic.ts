import { fsyncSync, openSync, closeSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'

/**
 * Writes a file so that a reader sees the old one or the new one, never a part: a scraper may read at any moment.
 *
 * The name in between starts with a dot and does not end in `.prom`, which node_exporter would read.
 */
export function writeAtomic(file: string, text: string): void {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`)
  try {
    const fd = openSync(beside, 'w', 0o644)
    try {
      writeSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(beside, file)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}
