import { reasonOf, RequestError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { databaseTrouble, errorCode } from '../store/trouble.ts'
import { ProxyError } from '../proxy/routes.ts'

/** The refusal that a failure amounts to; what nobody foresaw is logged and becomes a 500 without details. */
export function toRequestError(hub: Pick<Hub, 'log'>, error: unknown): RequestError {
  if (error instanceof RequestError) return error
  const trouble = databaseTrouble(error)
  if (trouble !== undefined) {
    hub.log('error', 'database cannot be used', { reason: trouble, detail: reasonOf(error) })
    return new RequestError(503, `The hub's database cannot be used: ${trouble}`, { 'retry-after': '5' })
  }
  if (error instanceof ProxyError) return new RequestError(503, error.message, { 'retry-after': '5' })
  const code = errorCode(error)
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
