import { reasonOf, RequestError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { ProxyError } from '../proxy/routes.ts'

/** What is wrong with the database, in words for people, by the start of SQLite's code. */
const sqliteTroubles: readonly (readonly [string, string])[] = [
  ['SQLITE_BUSY', 'it is locked by another program'],
  ['SQLITE_LOCKED', 'it is locked by another program'],
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_READONLY', 'it cannot be written to'],
  ['SQLITE_CORRUPT', 'it is damaged'],
  ['SQLITE_NOTADB', 'it is damaged'],
  ['SQLITE_IOERR', 'the disk fails'],
  ['SQLITE_CANTOPEN', 'it cannot be opened'],
]

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** Why the database cannot be used, `undefined` when the error is another one. */
export function databaseTrouble(error: unknown): string | undefined {
  const code = codeOf(error)
  const known = sqliteTroubles.find(([start]) => code.startsWith(start))?.[1]
  if (known !== undefined) return known
  // Postgres: connection, resources, shutdown (appendix A of its manual); and what the socket says.
  if (/^(08|53|57P|58)/.test(code) || /^E(CONN|PIPE|TIMEDOUT|HOSTUNREACH)/.test(code)) return 'it does not answer'
  return /timeout exceeded when trying to connect|Connection terminated/.test(reasonOf(error))
    ? 'it does not answer'
    : undefined
}

/** The refusal that a failure amounts to; what nobody foresaw is logged and becomes a 500 without details. */
export function toRequestError(hub: Pick<Hub, 'log'>, error: unknown): RequestError {
  if (error instanceof RequestError) return error
  const trouble = databaseTrouble(error)
  if (trouble !== undefined) {
    hub.log('error', 'database cannot be used', { reason: trouble, detail: reasonOf(error) })
    return new RequestError(503, `The hub's database cannot be used: ${trouble}`, { 'retry-after': '5' })
  }
  if (error instanceof ProxyError) return new RequestError(503, error.message, { 'retry-after': '5' })
  const code = codeOf(error)
  // Two who write the same name at once: the second one comes too late.
  if (code.startsWith('SQLITE_CONSTRAINT') || code === '23505') return new RequestError(409, 'Conflict')
  hub.log('error', 'request failed', {
    reason: reasonOf(error),
    stack: error instanceof Error ? error.stack : undefined,
  })
  return new RequestError(500, 'Internal Server Error')
}

/** Answers a failed call as JSON. */
export function jsonError(hub: Pick<Hub, 'log'>, error: unknown): Response {
  const { status, message, headers } = toRequestError(hub, error)
  return Response.json({ status, message }, { status, headers })
}
