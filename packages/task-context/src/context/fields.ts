import { TaskError } from '../errors.ts'
import { describeIssues, type StandardSchema } from '../standard-schema.ts'

/** What every context carries from the request to its jobs. All but {@link BaseFields.requestId} may be absent. */
export interface BaseFields {
  /** Ties log lines of a request and of all its jobs together. */
  readonly requestId: string
  /** Who acts, for example `user:42` or `system`. An identifier, never a credential. */
  readonly actor?: string
  /** Whose data it is about. */
  readonly tenant?: string
  /** W3C `traceparent` of the caller. */
  readonly trace?: string
  /** BCP 47 language tag. */
  readonly locale?: string
  /** When the work stops being wanted, in milliseconds since the epoch. */
  readonly deadline?: number
}

/** Extra fields: a schema each. Only what is listed here travels, and only if its schema accepts it. */
export type FieldSchemas = Readonly<Record<string, StandardSchema>>

/** The values behind {@link FieldSchemas}. */
export type FieldValues<Schemas extends FieldSchemas> = {
  readonly [Name in keyof Schemas]?: Schemas[Name] extends StandardSchema<infer _Input, infer Output> ? Output : never
}

/** Keys on the wire: context is in each job, so its names are one letter. */
const WIRE = { requestId: 'r', actor: 'a', tenant: 't', trace: 'x', locale: 'l', deadline: 'd' } as const

const BASE_NAMES = Object.keys(WIRE) as (keyof typeof WIRE)[]

/** Names a custom field cannot take: the base fields and what a context offers beside fields. */
const RESERVED = new Set<string>([...BASE_NAMES, 'signal', 'log', 'db', 'job', '__proto__', 'constructor', 'prototype'])

/** Most context a job may carry, in bytes of JSON: more than this is data, and belongs into the payload. */
export const MAX_CONTEXT_BYTES = 4096

/** Reads and writes the fields of a context; knows the allow-list. */
export interface FieldCodec {
  /** Takes the allowed fields of a source, checks them, and returns a frozen object without a prototype. */
  readonly read: (source: Readonly<Record<string, unknown>>) => BaseFields & Readonly<Record<string, unknown>>
  /** Short form for the envelope. */
  readonly write: (fields: BaseFields) => Record<string, unknown>
  /** The opposite of `write`, for input from outside. */
  readonly parse: (wire: unknown) => BaseFields & Readonly<Record<string, unknown>>
}

/**
 * Builds the codec of an allow-list.
 *
 * @throws {@link TypeError} for a custom field with a reserved name.
 */
export function fieldCodec(schemas: FieldSchemas = {}, maxBytes: number = MAX_CONTEXT_BYTES): FieldCodec {
  const custom = Object.entries(schemas)
  for (const [name] of custom) {
    if (RESERVED.has(name)) throw new TypeError(`Expected a free name for a context field, got \`${name}\``)
  }

  const read: FieldCodec['read'] = (source) => {
    const fields: Record<string, unknown> = Object.create(null)
    for (const name of BASE_NAMES) {
      const value = Object.hasOwn(source, name) ? source[name] : undefined
      if (value === undefined) continue
      const expected = name === 'deadline' ? 'number' : 'string'
      if (typeof value !== expected || value === '' || Number.isNaN(value)) {
        throw new TaskError('TASK_CONTEXT_INVALID', `Expected context field \`${name}\` to be a ${expected}`)
      }
      fields[name] = value
    }
    for (const [name, schema] of custom) {
      const value = Object.hasOwn(source, name) ? source[name] : undefined
      if (value !== undefined) fields[name] = check(name, schema, value)
    }
    if (fields['requestId'] === undefined) {
      throw new TaskError('TASK_CONTEXT_INVALID', 'Expected a context with a `requestId`')
    }
    return Object.freeze(fields) as unknown as ReturnType<FieldCodec['read']>
  }

  const write: FieldCodec['write'] = (fields) => {
    const all = fields as BaseFields & Readonly<Record<string, unknown>>
    const wire: Record<string, unknown> = {}
    for (const name of BASE_NAMES) if (all[name] !== undefined) wire[WIRE[name]] = all[name]
    let extra: Record<string, unknown> | undefined
    for (const [name] of custom) if (all[name] !== undefined) (extra ??= {})[name] = all[name]
    if (extra !== undefined) wire['f'] = extra
    // Length in UTF-16 units bounds the bytes from below and, times three, from above: most contexts skip the count.
    const text = JSON.stringify(wire)
    if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) throw tooLarge(wire, maxBytes)
    return wire
  }

  const parse: FieldCodec['parse'] = (wire) => {
    if (typeof wire !== 'object' || wire === null) {
      throw new TaskError('TASK_POISON', 'Expected a context in the envelope')
    }
    const from = wire as Record<string, unknown>
    const extra = Object.hasOwn(from, 'f') && typeof from['f'] === 'object' && from['f'] !== null ? from['f'] : {}
    const source: Record<string, unknown> = Object.create(null)
    for (const [name] of custom) {
      if (Object.hasOwn(extra, name)) source[name] = (extra as Record<string, unknown>)[name]
    }
    for (const name of BASE_NAMES) if (Object.hasOwn(from, WIRE[name])) source[name] = from[WIRE[name]]
    const fields = read(source)
    write(fields)
    return fields
  }

  return { read, write, parse }
}

function check(name: string, schema: StandardSchema, value: unknown): unknown {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    throw new TypeError(`Expected a synchronous schema for context field \`${name}\``)
  }
  if (result.issues !== undefined) {
    const reason = describeIssues(result.issues)
    throw new TaskError('TASK_CONTEXT_INVALID', `Context field \`${name}\` does not fit its schema: ${reason}`)
  }
  return result.value
}

function tooLarge(wire: Record<string, unknown>, maxBytes: number): TaskError {
  const named = new Map<string, unknown>(BASE_NAMES.map((name) => [name, wire[WIRE[name]]]))
  for (const [name, value] of Object.entries((wire['f'] as object | undefined) ?? {})) named.set(name, value)
  const sizes = [...named]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${Buffer.byteLength(JSON.stringify(value))}`)
  return new TaskError(
    'TASK_CONTEXT_TOO_LARGE',
    `Expected a context of at most ${maxBytes} bytes, got (bytes by field): ${sizes.join(', ')}. Pass data in the payload.`,
  )
}
