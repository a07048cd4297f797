import { existsSync } from 'node:fs'

import type { ContainerFacts } from '../engine/engine.ts'
import type { ServerRecord } from '../storage/records.ts'
import { ADMIN } from './context.ts'

/**
 * How a server is, seen without asking it:
 * - `creating`: its create has not ended, or was killed and awaits reconciliation
 * - `running`: its container runs
 * - `stopped`: as asked
 * - `failed`: it ended by itself, or its folder is gone
 * - `lost`: it should run and has no container
 * - `removing`: its removal has not ended
 */
export type ServerState = 'creating' | 'running' | 'stopped' | 'failed' | 'lost' | 'removing'

/** A server as it is. Holds no secret. */
export interface Server {
  readonly name: string
  readonly state: ServerState
  /** Settings for `pg`, to be completed with the password. */
  readonly connection: {
    readonly host: '127.0.0.1'
    readonly port: number
    readonly user: string
    readonly database: string
  }
  /** TCP port on 127.0.0.1. */
  readonly port: number
  /** Real path of its folder. */
  readonly storageDir: string
  readonly image: string
  readonly databases: readonly string[]
  /** RFC 3339. */
  readonly createdAt: string
}

/** Shows a record together with its container. */
export function serverOf(record: ServerRecord, container: ContainerFacts | undefined): Server {
  return show(record, stateOf(record, container))
}

/** Shows a server that has let somebody in a moment ago. */
export function runningServer(record: ServerRecord): Server {
  return show(record, 'running')
}

function show(record: ServerRecord, state: ServerState): Server {
  const { name, port, storageDir, image, databases, createdAt } = record
  return {
    name,
    state,
    connection: { host: '127.0.0.1', port, user: ADMIN, database: 'postgres' },
    port,
    storageDir,
    image,
    databases,
    createdAt,
  }
}

function stateOf({ desired, storageDir }: ServerRecord, container: ContainerFacts | undefined): ServerState {
  switch (desired) {
    case 'creating':
      return 'creating'
    case 'removing':
    case 'erasing':
      return 'removing'
    case 'running':
    case 'stopped':
      if (!existsSync(storageDir)) return 'failed'
      if (container?.running === true && !container.restarting) return 'running'
      if (desired === 'stopped') return 'stopped'
      return container === undefined ? 'lost' : 'failed'
  }
}
