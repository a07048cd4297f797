import { NativeAuthError } from '../errors.ts'

/** Longest body, in bytes. */
const MAX_BODY = 16_384

/** The kinds of body that routes take. */
export type BodyKind = 'json' | 'form' | 'other'

/** Names the kind of a request's body by its media type. */
export function bodyKind(headers: Headers): BodyKind {
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json') return 'json'
  return type === 'application/x-www-form-urlencoded' ? 'form' : 'other'
}

/** A request whose body has come in. */
interface Received {
  readonly request: Request
  readonly body: Uint8Array
}

/** Takes in a short body. @throws {@link NativeAuthError} `NATIVE_AUTH_BODY_TOO_LARGE`. */
export async function receive(request: Request): Promise<Uint8Array> {
  const tooLarge = () =>
    new NativeAuthError('NATIVE_AUTH_BODY_TOO_LARGE', `A request body has at most ${MAX_BODY} bytes`)
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Reads a body as text. @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`. */
function readText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw badBody('body_encoding', 'The body is not UTF-8', cause)
  }
}

function badBody(type: string, msg: string, cause?: unknown): NativeAuthError {
  // The body itself is not repeated: it may hold a password.
  return new NativeAuthError('NATIVE_AUTH_INVALID_INPUT', msg, { cause, issues: [{ loc: ['body'], type, msg }] })
}

/**
 * Reads a JSON object; any other body, by its type or its content, is refused.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`.
 */
export function readJsonObject({ request, body }: Received): Readonly<Record<string, unknown>> {
  const text = readText(body)
  if (text === '') throw badBody('missing', 'Field required')
  if (bodyKind(request.headers) !== 'json') throw badBody('model_attributes_type', 'Send an object as application/json')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badBody('json_invalid', 'The body is not valid JSON')
  }
  if (value === null) throw badBody('missing', 'Field required')
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw badBody('model_attributes_type', 'The body is not an object')
  }
  return value as Record<string, unknown>
}

/** Reads a form; a field that comes twice counts once, the first time. */
export function readForm({ request, body }: Received): URLSearchParams {
  if (bodyKind(request.headers) !== 'form') throw badBody('form_type', 'Send a form')
  return new URLSearchParams(readText(body))
}
