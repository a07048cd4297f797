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

/** Reads a short body as text. @throws {@link NativeAuthError} `NATIVE_AUTH_BODY_TOO_LARGE`, `NATIVE_AUTH_INVALID_INPUT`. */
async function readText(request: Request): Promise<string> {
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
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
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
 * @throws {@link NativeAuthError} `NATIVE_AUTH_BODY_TOO_LARGE`, `NATIVE_AUTH_INVALID_INPUT`.
 */
export async function readJsonObject(request: Request): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(request)
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
export async function readForm(request: Request): Promise<URLSearchParams> {
  if (bodyKind(request.headers) !== 'form') throw badBody('form_type', 'Send a form')
  return new URLSearchParams(await readText(request))
}
