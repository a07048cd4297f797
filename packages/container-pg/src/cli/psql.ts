import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { ContainerPgError } from '../errors.ts'
import type { Server } from '../lifecycle/view.ts'

/** Opens psql on a server; psql itself asks for the password, so that we never hold it. */
export async function openPsql({ connection }: Server, words: readonly string[]): Promise<number> {
  const { host, port, user, database } = connection
  // Ctrl-C reaches both of us and is meant for psql, where it ends a query.
  const stay = () => {}
  process.on('SIGINT', stay)
  const child = spawn('psql', ['-h', host, '-p', String(port), '-U', user, '-d', database, ...words], {
    stdio: 'inherit',
  })
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    return code ?? 1
  } catch (error) {
    throw new ContainerPgError('NOT_FOUND', 'Found no program `psql`', {
      remedy: 'Install Postgres’ client programs.',
      cause: error,
    })
  } finally {
    process.off('SIGINT', stay)
  }
}
