import { Client, type ClientConfig } from 'pg'

import { ContainerPgError } from '../errors.ts'

/** How an attempt to log in ended. */
export type Login =
  | { readonly kind: 'ok' }
  /** The server answers and refuses this password. */
  | { readonly kind: 'refused' }
  /** The server answers and is not ready yet: it starts, recovers or shuts down. */
  | { readonly kind: 'starting' }
  /** Nobody answers, or the port's proxy alone. */
  | { readonly kind: 'silent'; readonly cause: unknown }

/** How to reach a server's published port. */
export interface Address {
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** Settings for `pg`. */
function clientConfig({ port, user, password, database }: Address, timeoutMs: number): ClientConfig {
  return { host: '127.0.0.1', port, user, password, database, connectionTimeoutMillis: timeoutMs, ssl: false }
}

/** Tries one login and one query through the published port: an open port alone proves nothing. */
export async function tryLogin(address: Address, timeoutMs: number): Promise<Login> {
  const client = new Client(clientConfig(address, timeoutMs))
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('SELECT 1')
    return { kind: 'ok' }
  } catch (error) {
    const { code } = error as { code?: string }
    // 28P01: wrong password. 28000: no such role, as in a folder that another administrator made.
    if (code === '28P01' || code === '28000') return { kind: 'refused' }
    if (code === '57P03') return { kind: 'starting' }
    return { kind: 'silent', cause: error }
  } finally {
    await client.end().catch(() => {})
  }
}

/** Runs work on one connection. */
export async function withClient<Result>(
  address: Address,
  work: (client: Client) => Promise<Result>,
  timeoutMs = 10_000,
): Promise<Result> {
  const client = new Client(clientConfig(address, timeoutMs))
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** Says what it means that a statement of ours failed; hands back what is said already. */
export function fromServer(name: string, error: unknown): ContainerPgError {
  if (error instanceof ContainerPgError) return error
  const { code, message } = error as { code?: string; message: string }
  // 53100: disk full.
  if (code === '53100') {
    const remedy = 'Free some space on its disk.'
    return new ContainerPgError('DISK_FULL', `The disk of server ${name} is full: ${message}`, { remedy, cause: error })
  }
  return new ContainerPgError('SERVER_FAILED', `Server ${name} failed: ${message}`, {
    remedy: 'See its log.',
    cause: error,
  })
}
