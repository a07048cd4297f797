import type { BaseFields } from './fields.ts'

/** Reads the context of a request; what it returns is checked like any other context. */
export type ReadFields<Fields> = (request: Request) => Fields | Promise<Fields>

const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/
const REQUEST_ID = /^[\w.-]{1,64}$/

/** What software should be able to take, by RFC 5646 (BCP 47), section 4.4.1. */
const LONGEST_LOCALE = 35

/**
 * Takes request id, trace and language from the usual headers.
 *
 * Strict in what it accepts, as these values end up in logs and queues. Never takes the actor or the tenant: those
 * come from your own authentication.
 */
export function fieldsFromHeaders(headers: Headers, newId: () => string): BaseFields {
  const given = headers.get('x-request-id')
  const trace = headers.get('traceparent')
  const locale = headers.get('accept-language')?.split(/[,;]/, 1)[0]?.trim()
  return {
    requestId: given !== null && REQUEST_ID.test(given) ? given : newId(),
    ...(trace !== null && TRACEPARENT.test(trace) && { trace }),
    ...(locale !== undefined &&
      locale.length <= LONGEST_LOCALE &&
      /^[a-z]{2,3}(-[A-Za-z\d]{2,8})*$/.test(locale) && { locale }),
  }
}
