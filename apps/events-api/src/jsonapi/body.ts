import type { ErrorObject as Finding, ValidateFunction } from 'ajv'

import { formatWords } from './formats.ts'
import { ApiError, type ErrorObject, errorObject, problem } from './errors.ts'

/** Largest JSON:API document accepted, in bytes. */
const MAX_BODY_BYTES = 512 * 1024

/** Deepest nesting of a document; JSON:API needs 6. */
const MAX_DEPTH = 20

/** Most errors in one answer. */
const MAX_ERRORS = 20

/**
 * Reads a request's body as JSON.
 *
 * @throws {@link ApiError} 413 beyond `maxBytes`, counted while reading; 400 for what is not UTF-8, not
 *   JSON, nested too deeply, and not all there; 422 for text that PostgreSQL cannot hold (NUL, half of a surrogate pair).
 */
export async function readJson(request: Request, maxBytes: number = MAX_BODY_BYTES): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (error) {
    throw problem('malformed_document', 'Expected a body of JSON in UTF-8', { pointer: '' }, { cause: error })
  }
  checkValue(value, '', 0)
  return value
}

/** Reads at most `max` bytes of a body. @throws {@link ApiError} 413 beyond, 400 when its sender goes away. */
async function readBytes(request: Request, max: number): Promise<Uint8Array> {
  const tooLarge = () => problem('too_large', `Expected a body of at most ${max} bytes`, { header: 'Content-Length' })
  if (Number(request.headers.get('content-length') ?? 0) > max) throw tooLarge()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length
      if (length > max) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ApiError) throw error
    // Nobody hears the answer; the log must not take the reset of a client for one of the database.
    throw problem('malformed_document', 'Expected the whole body', { pointer: '' }, { cause: error })
  }
  return Buffer.concat(chunks)
}

function checkValue(value: unknown, pointer: string, depth: number): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) {
      throw problem('invalid_value', 'Expected text without NUL and without halves of surrogate pairs', { pointer })
    }
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (depth === MAX_DEPTH) throw problem('malformed_document', `Expected at most ${MAX_DEPTH} levels`, { pointer })
  for (const [key, member] of Object.entries(value)) checkValue(member, `${pointer}/${escapeKey(key)}`, depth + 1)
}

/** A key in a JSON pointer. @see https://www.rfc-editor.org/rfc/rfc6901#section-3 */
function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Where the values of a resource document are; a fault elsewhere is one of shape. */
const VALUES = /^\/data\/(?:attributes|relationships)/

/**
 * Checks a document against its schema.
 *
 * @param values - Pointers of faults in values. For linkage that is all of `/data`.
 * @throws {@link ApiError} 422 for a fault in values, 400 for one in the shape around them. Each error points at its
 *   place.
 */
export function validate(check: ValidateFunction, document: unknown, values: RegExp = VALUES): void {
  if (check(document)) return
  const errors = (check.errors ?? [])
    .filter(isOwnFault)
    .slice(0, MAX_ERRORS)
    .map((finding) => toErrorObject(finding, values))
  // One status stands for all, and a shape that is wrong outweighs a value.
  const malformed = errors.filter((error) => error.status === '400')
  const [first, ...rest] = malformed.length > 0 ? malformed : errors
  throw new ApiError([
    first ?? errorObject('malformed_document', 'Expected another document', { pointer: '' }),
    ...rest,
  ])
}

/** `anyOf` reports itself beside its branches, which say more; the branch that expects `null` says nothing useful. */
function isOwnFault(finding: Finding): boolean {
  if (finding.keyword === 'anyOf') return false
  return !(finding.keyword === 'type' && finding.schemaPath.includes('/anyOf/1/'))
}

function toErrorObject(finding: Finding, values: RegExp): ErrorObject {
  const { instancePath, keyword, params } = finding
  const member: unknown = params['additionalProperty'] ?? params['missingProperty']
  const name = typeof member === 'string' ? member : ''
  // A missing member is looked for where it would be; the error still points at what is there.
  const place = name === '' ? instancePath : `${instancePath}/${escapeKey(name)}`
  const pointer = keyword === 'additionalProperties' ? place : instancePath
  return errorObject(values.test(place) ? 'invalid_value' : 'malformed_document', describe(finding, name), { pointer })
}

function describe({ keyword, message, params }: Finding, member: string): string {
  const words = params as Readonly<Record<string, unknown>>
  switch (keyword) {
    case 'additionalProperties':
      return `Expected no member \`${member.slice(0, 100)}\``
    case 'required':
      return `Expected a member \`${member}\``
    case 'enum':
      return `Expected one of ${(words['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`
    case 'const':
      return `Expected ${JSON.stringify(words['allowedValue'])}`
    case 'type':
      return `Expected ${[words['type']]
        .flat()
        .map((type) => kinds[String(type)] ?? String(type))
        .join(' or ')}`
    case 'format':
      return `Expected ${formatWords[String(words['format'])] ?? `the format ${String(words['format'])}`}`
    case 'pattern':
      return `Expected text like the pattern ${String(words['pattern'])}`
    case 'minLength':
      return words['limit'] === 1
        ? 'Expected text that is not empty'
        : `Expected ${String(words['limit'])} characters or more`
    case 'maxLength':
      return `Expected at most ${String(words['limit'])} characters`
    case 'minimum':
      return `Expected ${String(words['limit'])} or more`
    case 'maximum':
      return `Expected at most ${String(words['limit'])}`
    case 'maxItems':
      return `Expected at most ${String(words['limit'])} members`
    default:
      return `Expected another value: it ${message ?? 'does not fit'}`
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
  null: 'null',
}
