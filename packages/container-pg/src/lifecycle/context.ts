import type { Engine } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import { type KernelLock, waitForLock } from '../internal/kernel-lock.ts'
import { resolveBelow } from '../storage/folder.ts'
import type { Records } from '../storage/records.ts'

/** What every operation on servers needs. */
export interface Context {
  readonly engine: Engine
  /** Real path of the storage root. */
  readonly root: string
  /** The root as its user names it, perhaps through symbolic links. */
  readonly namedRoot: string
  readonly records: Records
  readonly image: string
  /** Extra labels of every container. */
  readonly labels: Readonly<Record<string, string>>
  readonly readyTimeoutMs: number
  readonly stopGraceMs: number
  readonly lockTimeoutMs: number
  readonly now: () => Date
  readonly choosePort: () => Promise<number>
}

/** Name of the administrator in every server. */
export const ADMIN = 'postgres'

/** Labels by which containers are found again. */
export const LABEL = {
  name: 'container-pg.name',
  root: 'container-pg.root',
  storage: 'container-pg.storage',
} as const

/** The label that all containers of a storage root carry. */
export const rootLabel = (context: Context): string => `${LABEL.root}=${context.root}`

/** Names the folder that a request means, by its real path. */
export function folderOf({ root, namedRoot }: Context, wanted: string): string {
  return resolveBelow(root, wanted.startsWith(`${namedRoot}/`) ? root + wanted.slice(namedRoot.length) : wanted)
}

/** The container's name follows from the folder's identity, so that the engine refuses a second one for it. */
export const containerName = (identity: string): string => `container-pg-${identity}`

/**
 * Lets one operation at a time work on a server, across processes.
 *
 * @throws {@link ContainerPgError} `BUSY` when another one takes too long.
 */
export function lockServer(context: Context, name: string): Promise<KernelLock> {
  return waitForTurn(context, lockName(context, name), `operation on server ${name}`)
}

/** Lets one dump or restore at a time work on a server. @throws {@link ContainerPgError} `BUSY`. */
export function lockBackups(context: Context, name: string): Promise<KernelLock> {
  return waitForTurn(context, `backups ${context.root} ${name}`, `dump or restore on server ${name}`)
}

async function waitForTurn({ lockTimeoutMs }: Context, name: string, what: string): Promise<KernelLock> {
  const lock = await waitForLock(name, lockTimeoutMs)
  if (lock !== undefined) return lock
  throw new ContainerPgError('BUSY', `Another ${what} has taken more than ${lockTimeoutMs} ms`, {
    remedy: 'Try again later.',
  })
}

/** The lock's name; used alone by those who would rather skip than wait. */
export const lockName = ({ root }: Context, name: string): string => `server ${root} ${name}`
