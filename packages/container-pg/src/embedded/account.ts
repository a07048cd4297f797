import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { ContainerPgError } from '../errors.ts'

const run = promisify(execFile)

/** The user that the server runs as when this process is root. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/**
 * Chooses an unprivileged account, as Postgres refuses to run as root and needs an account that the system can name.
 *
 * @param owner - Numeric owner of the data folder; kept when it is a named, unprivileged account.
 * @returns `undefined` when this process is not root and nothing has to change.
 * @throws {@link ContainerPgError} `EMBEDDED_NO_USER` when there is neither `postgres` nor `nobody`.
 */
export async function unprivilegedAccount(owner: number | undefined): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const wanted = owner === undefined || owner === 0 ? [] : [String(owner)]
  for (const name of [...wanted, 'postgres', 'nobody']) {
    const account = await lookUp(name)
    if (account !== undefined) return account
  }
  throw new ContainerPgError(
    'EMBEDDED_NO_USER',
    'Expected a user `postgres` or `nobody` to run the server as, found none',
    {
      remedy: 'Create a system user named postgres, or run as a normal user.',
    },
  )
}

async function lookUp(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
    )
    return uid === undefined || gid === undefined || uid === 0 ? undefined : { uid, gid }
  } catch {
    return undefined
  }
}

/** Tells whether every user may enter a folder: each folder above it has the search bit for others. */
export async function enterableByAll(folder: string): Promise<boolean> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
    if (at === path.dirname(at)) return true
  }
}
