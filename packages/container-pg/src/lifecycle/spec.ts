import { ContainerPgError } from '../errors.ts'
import type { Limits, ServerRecord } from '../storage/records.ts'

/** A server as one wants it. */
export interface ServerSpec {
  /** Name of the server: lower-case letters, digits, `-`, `_`, at most 63; starts with a letter or digit. */
  readonly name: string
  /** Folder for its data, below the storage root, absolute or relative to it. @default the server's name */
  readonly storageDir?: string | undefined
  /** Password of the role `postgres`: 1 to 1024 characters, no control characters. Never stored. */
  readonly adminPassword: string
  /** Port on 127.0.0.1, from 1024 up. Kept over restarts. @default a free port, chosen once */
  readonly port?: number | undefined
  /** Image to run, which the engine must have. @default the provisioner's */
  readonly image?: string | undefined
  readonly limits?: Limits | undefined
  /** Server settings, such as `{ work_mem: '8MB' }`. No place for secrets: others can read them. */
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined
  /** SQL texts, run once and in order as administrator in the database `postgres` before anyone else can know the server. */
  readonly initScripts?: readonly string[] | undefined
  /** Databases to make beside `postgres`. */
  readonly databases?: readonly string[] | undefined
  /** Takes up a folder that holds a cluster made by something else, in its sub-folder `pgdata`. @default false */
  readonly adopt?: boolean | undefined
}

const OWN_SETTINGS = new Set(
  [
    'listen_addresses',
    'port',
    'unix_socket_directories',
    'data_directory',
    'config_file',
    'hba_file',
    'ident_file',
  ].concat(['external_pid_file', 'password_encryption', 'logging_collector', 'log_destination']),
)

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/**
 * Checks what can be checked without looking at the world.
 *
 * @throws {@link ContainerPgError} `INVALID_INPUT`, with the field's name and never a password.
 */
export function checkSpec(spec: ServerSpec): void {
  checkName(spec.name)
  checkPassword(spec.adminPassword)
  const { port, limits = {}, settings = {}, databases = [], image, initScripts = [] } = spec
  if (port !== undefined) expectWhole('port', port, 1024, 65_535)
  if (image !== undefined && !/^(?!.*\.\.)\w[\w./:@-]{0,254}$/.test(image))
    throw invalid('image', 'a name such as postgres:18', image)
  if (limits.memoryMiB !== undefined) expectWhole('limits.memoryMiB', limits.memoryMiB, 64, 1 << 20)
  if (limits.pids !== undefined) expectWhole('limits.pids', limits.pids, 32, 1 << 20)
  if (limits.cpus !== undefined && !(limits.cpus >= 0.01 && limits.cpus <= 1024)) {
    throw invalid('limits.cpus', 'a number from 0.01 to 1024', limits.cpus)
  }
  for (const [name, value] of Object.entries(settings)) {
    if (!/^[a-z_][a-z0-9_.]{0,62}$/.test(name)) throw invalid('settings', 'names of server settings', name)
    if (OWN_SETTINGS.has(name)) throw invalid('settings', 'none of those that the provisioner sets itself', name)
    if (CONTROL.test(String(value))) throw invalid(`settings.${name}`, 'no control characters', '…')
  }
  for (const name of databases) checkDatabase(name)
  for (const script of initScripts) {
    if (typeof script !== 'string' || script.includes('\0')) throw invalid('initScripts', 'SQL texts', typeof script)
  }
}

/** Checks a server's name. @throws {@link ContainerPgError} `INVALID_INPUT`. */
export function checkName(name: string): void {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
    throw invalid('name', 'lower-case letters, digits, - and _, at most 63', name)
  }
}

/** Checks a database's name. @throws {@link ContainerPgError} `INVALID_INPUT`. */
export function checkDatabase(name: string): void {
  const bytes = Buffer.byteLength(name)
  if (bytes < 1 || bytes > 63 || CONTROL.test(name)) {
    throw invalid('databases', 'names of 1 to 63 bytes without control characters', name)
  }
}

/** Checks a password. A line break is refused because the image would cut the password there. @throws {@link ContainerPgError} `INVALID_INPUT`. */
export function checkPassword(password: string): void {
  if (typeof password !== 'string' || password === '' || password.length > 1024 || CONTROL.test(password)) {
    throw new ContainerPgError(
      'INVALID_INPUT',
      'Expected `adminPassword` to be 1 to 1024 characters without control characters',
      {
        remedy: 'Choose another password.',
      },
    )
  }
}

function expectWhole(field: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw invalid(field, `a whole number from ${least} to ${most}`, value)
  }
}

function invalid(field: string, expected: string, got: unknown): ContainerPgError {
  return new ContainerPgError('INVALID_INPUT', `Expected \`${field}\` to be ${expected}, got ${JSON.stringify(got)}`)
}

/** Names the fields in which a repeated request differs from what is recorded. Left-out fields agree with anything. */
export function differences(record: ServerRecord, spec: ServerSpec, storageDir: string | undefined): string[] {
  const wanted: Partial<Record<keyof ServerRecord, unknown>> = {
    storageDir,
    port: spec.port,
    image: spec.image,
    limits: spec.limits,
    settings: spec.settings === undefined ? undefined : textSettings(spec.settings),
    databases: spec.databases,
  }
  return Object.entries(wanted)
    .filter(
      ([field, value]) => value !== undefined && canonical(value) !== canonical(record[field as keyof ServerRecord]),
    )
    .map(([field]) => field)
}

/** Settings as the server's command line takes them. */
export function textSettings(settings: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
