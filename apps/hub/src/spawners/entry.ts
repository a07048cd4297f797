import { HubError, reasonOf, RequestError } from '../errors.ts'
import { ProxyError } from '../proxy/routes.ts'
import type { BegunSpawn } from '../store/spawners.ts'
import { databaseTrouble } from '../store/trouble.ts'
import type { User } from '../store/users.ts'
import type { ServerNames } from './names.ts'
import type { ProgressEvent, ProgressLog } from './progress.ts'
import type { RunningServer } from './spawner.ts'

/** Where a server is in its life. */
export type Phase = 'stopped' | 'spawn' | 'ready' | 'stop'

/** Why a start failed, and the HTTP status that says so. */
export interface Failure {
  readonly status: number
  readonly message: string
}

/** One server of one user, as the running hub knows it. */
export interface Entry {
  readonly user: User
  readonly server: string
  readonly names: ServerNames
  phase: Phase
  begun?: Pick<BegunSpawn, 'spawnerId' | 'serverId'>
  running?: RunningServer
  /** Where the proxy is to send what is for it: set before the proxy is told, taken back before it is told otherwise. */
  routed?: string
  progress: ProgressLog
  /** The start or stop under way. Never rejects. */
  work: Promise<void>
  cancel?: AbortController
  failure?: Failure
  /** Spawner row whose other rows could not be taken back yet. */
  unclean?: number
}

/** Names an entry. */
export const keyOf = (userId: number, server: string): string => `${userId}/${server}`

/** How messages call a server. */
export function titleOf({ user, server }: { readonly user: Pick<User, 'name'>; readonly server: string }): string {
  return server === '' ? user.name : `${user.name}:${server}`
}

/** The last message of a start that went well. */
export function readyEvent({ names }: Entry): ProgressEvent {
  const url = names.prefix
  return {
    progress: 100,
    ready: true,
    message: `Server ready at ${url}`,
    html_message: `Server ready at <a href="${url}">${url}</a>`,
    url,
  }
}

/** The last message of one that did not. */
export function failedEvent({ failure }: Entry): ProgressEvent {
  return { progress: 100, failed: true, message: `Spawn failed: ${failure?.message ?? 'unknown reason'}` }
}

/** What a failed start is answered with. */
export function failureOf(error: unknown): Failure {
  if (error instanceof HubError) return { status: 500, message: error.message }
  if (error instanceof RequestError) return { status: error.status, message: error.message }
  const trouble = databaseTrouble(error)
  if (trouble !== undefined) return { status: 503, message: `The hub's database cannot be used: ${trouble}` }
  return { status: error instanceof ProxyError ? 503 : 500, message: reasonOf(error) }
}
