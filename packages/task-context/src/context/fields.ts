import { TaskError } from '../errors.ts'
import { isStorable, storableJson } from '../internal/storable.ts'
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
const RESERVED = new Set<string>([
  ...BASE_NAMES,
  'signal',
  'log',
  'db',
  'job',
  'resources',
  '__proto__',
  'constructor',
  'prototype',
])

/** Most context a job may carry, in bytes of JSON: more than this is data, and belongs into the payload. */
export const MAX_CONTEXT_BYTES = 4096

/** Fields of a context, the extra ones among them. */
export type Fields = BaseFields & Readonly<Record<string, unknown>>

/** Reads and writes the fields of a context; knows the allow-list. */
export interface FieldCodec {
  /** Takes the allowed fields of a source and checks them; returns a new object without a prototype. */
  readonly read: (source: Readonly<Record<string, unknown>>) => Fields
  /** Short form for the envelope. */
  readonly write: (fields: Fields) => Record<string, unknown>
  /** `read` and `write` for a job that is to be, whose extra fields have to stand a round trip through JSON. */
  readonly writeNew: (source: Readonly<Record<string, unknown>>) => Record<string, unknown>
  /** The opposite of `write`, for input from outside. */
  readonly parse: (wire: Readonly<Record<string, unknown>>) => Fields
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

  function readCustom(into: Record<string, unknown>, source: object): void {
    for (const [name, schema] of custom) {
      const value = Object.hasOwn(source, name) ? (source as Record<string, unknown>)[name] : undefined
      if (value !== undefined) into[name] = check(name, schema, value)
    }
  }

  const read: FieldCodec['read'] = (source) => {
    const fields = readBase(source)
    readCustom(fields, source)
    return fields as unknown as Fields
  }

  const write: FieldCodec['write'] = (fields) => {
    const wire = writeBase(fields)
    let extra: Record<string, unknown> | undefined
    for (const [name] of custom) if (fields[name] !== undefined) (extra ??= {})[name] = fields[name]
    if (extra !== undefined) wire['f'] = extra
    if (extra === undefined && !mayBeLong(fields, maxBytes)) return wire
    const json = JSON.stringify(wire)
    if (Buffer.byteLength(json) > maxBytes) throw tooLarge(wire, maxBytes)
    if (storableJson(json) !== json) throw invalid(Object.keys(extra ?? {}).join(', '), STORABLE)
    return wire
  }

  const parse: FieldCodec['parse'] = (wire) => {
    const { r, a, t, x, l, d, f } = wire
    const fields = readBase({ requestId: r, actor: a, tenant: t, trace: x, locale: l, deadline: d })
    const parsed = fields as unknown as Fields
    if (typeof f === 'object' && f !== null) readCustom(fields, f)
    if (f !== undefined || mayBeLong(parsed, maxBytes)) write(parsed)
    return parsed
  }

  const writeNew: FieldCodec['writeNew'] = (source) => {
    const wire = write(read(source))
    // Else a `Date` would be refused where nobody can do anything about it: in the worker.
    if (wire['f'] !== undefined) readCustom({}, JSON.parse(JSON.stringify(wire['f'])) as object)
    return wire
  }

  return { read, write, writeNew, parse }
}

/** Has nothing of `Object.prototype`, and is no dictionary to V8, as `Object.create(null)` is. */
class Bare {
  static {
    Reflect.deleteProperty(this.prototype, 'constructor')
    Object.setPrototypeOf(this.prototype, null)
    Object.freeze(this.prototype)
  }
}

/** This one and the next are written out and not looped over, as each job passes here. */
function readBase(source: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { requestId, actor, tenant, trace, locale, deadline } = source
  const fields = new Bare() as Record<string, unknown>
  fields['requestId'] = text('requestId', requestId)
  if (actor !== undefined) fields['actor'] = text('actor', actor)
  if (tenant !== undefined) fields['tenant'] = text('tenant', tenant)
  if (trace !== undefined) fields['trace'] = text('trace', trace)
  if (locale !== undefined) fields['locale'] = text('locale', locale)
  if (deadline !== undefined) {
    if (!Number.isFinite(deadline)) throw invalid('deadline', 'a finite number')
    fields['deadline'] = deadline
  }
  return fields
}

function writeBase({ requestId, actor, tenant, trace, locale, deadline }: BaseFields): Record<string, unknown> {
  const wire: Record<string, unknown> = { [WIRE.requestId]: requestId }
  if (actor !== undefined) wire[WIRE.actor] = actor
  if (tenant !== undefined) wire[WIRE.tenant] = tenant
  if (trace !== undefined) wire[WIRE.trace] = trace
  if (locale !== undefined) wire[WIRE.locale] = locale
  if (deadline !== undefined) wire[WIRE.deadline] = deadline
  return wire
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid(name, 'a text')
  if (!isStorable(value)) throw invalid(name, STORABLE)
  return value
}

const STORABLE = 'free of NUL and of halves of surrogate pairs'

function invalid(name: string, expected: string): TaskError {
  return new TaskError('TASK_CONTEXT_INVALID', `Expected context field \`${name}\` to be ${expected}`)
}

/** Six bytes per UTF-16 unit is the most that JSON takes; whoever stays below need not be written out to be weighed. */
function mayBeLong({ requestId, actor, tenant, trace, locale }: BaseFields, maxBytes: number): boolean {
  const units =
    requestId.length + (actor?.length ?? 0) + (tenant?.length ?? 0) + (trace?.length ?? 0) + (locale?.length ?? 0)
  return (units + 64) * 6 > maxBytes
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
