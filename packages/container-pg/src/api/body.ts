import { ContainerPgError } from '../errors.ts'
import type { ServerSpec } from '../lifecycle/spec.ts'

/** Fields of a request to make a server, by their names on the wire. */
type Field = 'name' | 'storage_dir' | 'admin_password' | 'port' | 'databases'
const FIELDS: readonly Field[] = ['name', 'storage_dir', 'admin_password', 'port', 'databases']

/** Longest body, in bytes; a request is a handful of short fields. */
const MAX_BODY_BYTES = 16_384

/** Somebody sent a body that is not read. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused'
  readonly status: 400 | 413 | 415

  constructor(status: 400 | 413 | 415, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Reads what server is wanted, from JSON or a form.
 *
 * @throws {@link BodyRefused}; {@link ContainerPgError} `INVALID_INPUT` for unknown fields and wrong types.
 */
export async function readSpec(request: Request, chooseName: () => string): Promise<ServerSpec> {
  const text = await readText(request)
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/json') return specOf(parseObject(text), chooseName)
  if (type === 'application/x-www-form-urlencoded') return specOf(parseForm(text), chooseName)
  throw new BodyRefused(415, 'Expected a body of type application/json or application/x-www-form-urlencoded')
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) throw new BodyRefused(413, `Expected a body of at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new BodyRefused(400, 'Expected a body in UTF-8')
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BodyRefused(400, 'Expected a body that is JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BodyRefused(400, 'Expected a JSON object')
  return value as Record<string, unknown>
}

function parseForm(text: string): Record<string, unknown> {
  const form = new URLSearchParams(text)
  const fields: Record<string, unknown> = {}
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name)
    if (name === 'databases') fields[name] = values
    else if (values.length > 1) throw invalid(`Expected one \`${name}\`, got ${values.length}`)
    else fields[name] = name === 'port' && /^\d+$/.test(values[0] ?? '') ? Number(values[0]) : values[0]
  }
  return fields
}

function specOf(fields: Record<string, unknown>, chooseName: () => string): ServerSpec {
  const unknown = Object.keys(fields).find((name) => !FIELDS.includes(name as Field))
  if (unknown !== undefined) throw invalid(`Expected the fields ${FIELDS.join(', ')}, got \`${unknown}\``)
  const storageDir = optional(fields, 'storage_dir', 'string')
  const databases = fields['databases']
  if (databases !== undefined && !(Array.isArray(databases) && databases.every((name) => typeof name === 'string'))) {
    throw invalid('Expected `databases` to be a list of names')
  }
  const password = optional(fields, 'admin_password', 'string')
  if (password === undefined) throw invalid('Expected `admin_password`')
  return {
    name: optional(fields, 'name', 'string') ?? (storageDir === undefined ? chooseName() : nameFor(storageDir)),
    adminPassword: password,
    storageDir,
    port: optional(fields, 'port', 'number'),
    databases,
  }
}

function optional(fields: Record<string, unknown>, name: Field, type: 'string'): string | undefined
function optional(fields: Record<string, unknown>, name: Field, type: 'number'): number | undefined
function optional(
  fields: Record<string, unknown>,
  name: Field,
  type: 'string' | 'number',
): string | number | undefined {
  const value = fields[name]
  // A web form sends an empty field for what was left out.
  if (value === undefined || value === null || (value === '' && name !== 'admin_password')) return undefined
  if (typeof value !== type) throw invalid(`Expected \`${name}\` to be a ${type}`)
  return value as string | number
}

/** A request without a name that is repeated for the same folder must mean the same server. */
function nameFor(storageDir: string): string {
  const slug = storageDir
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  return slug.slice(-63).replace(/^-/, '') || 'server'
}

function invalid(message: string): ContainerPgError {
  return new ContainerPgError('INVALID_INPUT', message)
}
