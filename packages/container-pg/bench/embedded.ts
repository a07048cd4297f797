import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startEmbeddedPostgres } from '../src/embedded/index.ts'
import { interleaved, report, timed } from './stats.ts'

/** The server without Docker, for the sense of scale; it keeps fewer promises. */
export async function benchEmbedded(rounds: number): Promise<void> {
  const folders: string[] = []
  const start = async (dataDir: string) => {
    const server = await startEmbeddedPostgres({ dataDir })
    return () => server.stop()
  }
  try {
    report(
      'Embedded server: call to a login that worked',
      await interleaved(rounds, {
        async 'new folder'(round) {
          const dataDir = mkdtempSync(path.join(tmpdir(), 'cpg-bench-'))
          folders[round] = dataDir
          let stop = () => Promise.resolve()
          const ms = await timed(async () => (stop = await start(dataDir)))
          await stop()
          return ms
        },
        async 'existing folder'(round) {
          const dataDir = folders[round] ?? folders[round - 1] ?? ''
          let stop = () => Promise.resolve()
          const ms = await timed(async () => (stop = await start(dataDir)))
          await stop()
          return ms
        },
      }),
    )
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}
