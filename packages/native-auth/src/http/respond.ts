import { NativeAuthError, type NativeAuthErrorCode } from '../errors.ts'

/** Status of each code when it leaves over HTTP. */
export const STATUS: Readonly<Record<NativeAuthErrorCode, number>> = {
  NATIVE_AUTH_INVALID_INPUT: 422,
  NATIVE_AUTH_USERNAME_TAKEN: 409,
  NATIVE_AUTH_NAME_RESERVED: 403,
  NATIVE_AUTH_SIGNUP_DISABLED: 404,
  NATIVE_AUTH_CAPTCHA_FAILED: 422,
  NATIVE_AUTH_INVALID_CREDENTIALS: 401,
  NATIVE_AUTH_PENDING: 403,
  NATIVE_AUTH_SECOND_FACTOR_REQUIRED: 401,
  NATIVE_AUTH_ENROLMENT_REQUIRED: 403,
  NATIVE_AUTH_INVALID_CODE: 401,
  NATIVE_AUTH_INVALID_LINK: 410,
  NATIVE_AUTH_RATE_LIMITED: 429,
  NATIVE_AUTH_BUSY: 503,
  NATIVE_AUTH_UNAUTHENTICATED: 401,
  NATIVE_AUTH_FORBIDDEN: 403,
  NATIVE_AUTH_CROSS_SITE: 403,
  NATIVE_AUTH_NOT_FOUND: 404,
  NATIVE_AUTH_METHOD_NOT_ALLOWED: 405,
  NATIVE_AUTH_BODY_TOO_LARGE: 413,
  NATIVE_AUTH_LAST_ADMIN: 409,
  NATIVE_AUTH_CONFLICT: 409,
  NATIVE_AUTH_MAIL_FAILED: 503,
  NATIVE_AUTH_BREACH_CHECK_FAILED: 503,
  NATIVE_AUTH_IMPORT_FAILED: 500,
  NATIVE_AUTH_INTERNAL: 500,
}

const COMMON = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }

/** Answers with JSON. */
export function json(status: number, body: unknown, headers?: Headers): Response {
  const response = new Response(JSON.stringify(body), {
    status,
    headers: { ...COMMON, 'content-type': 'application/json; charset=utf-8' },
  })
  return withHeaders(response, headers)
}

/** Answers with a page. */
export function html(status: number, body: string, policy: string, headers?: Headers): Response {
  const response = new Response(body, {
    status,
    headers: {
      ...COMMON,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-frame-options': 'DENY',
    },
  })
  return withHeaders(response, headers)
}

/** Answers with "done", and nothing else. */
export const noContent = (headers?: Headers): Response =>
  withHeaders(new Response(null, { status: 204, headers: COMMON }), headers)

/** Sends the browser to a path of this site, with GET. */
export const redirect = (location: string, headers?: Headers): Response =>
  withHeaders(new Response(null, { status: 303, headers: { ...COMMON, location } }), headers)

function withHeaders(response: Response, headers?: Headers): Response {
  for (const [name, value] of headers ?? []) response.headers.append(name, value)
  return response
}

/** Turns anything thrown into what the outside may know of it. */
export function toPublicError(error: unknown, onError: (error: unknown) => void): NativeAuthError {
  if (error instanceof NativeAuthError && STATUS[error.code] !== 500) {
    // The caller is told to come back later; why, such as a mail server that is down, is the operator's to know.
    if (STATUS[error.code] === 503 && error.cause !== undefined) onError(error.cause)
    return error
  }
  onError(error)
  return new NativeAuthError('NATIVE_AUTH_INTERNAL', 'Something went wrong here; try again later')
}

/** Headers that an error brings along. */
export function errorHeaders(error: NativeAuthError): Headers {
  const headers = new Headers()
  if (error.retryAfterSeconds !== undefined) headers.set('retry-after', String(error.retryAfterSeconds))
  return headers
}

/** Answers with an error as JSON: `detail` is a list for input that breaks rules, else a sentence. */
export function jsonError(error: NativeAuthError): Response {
  const detail = error.code === 'NATIVE_AUTH_INVALID_INPUT' ? error.issues : error.message
  const challenge = error.challenge === undefined ? {} : { challenge: error.challenge }
  return json(STATUS[error.code], { detail, code: error.code, ...challenge }, errorHeaders(error))
}
