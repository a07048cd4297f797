import { readFileSync } from 'node:fs'
import path from 'node:path'

/** What the environment asks for. The README lists the variables. */
export interface Config {
  readonly role: 'all' | 'web' | 'worker'
  readonly host: string
  readonly port: number
  readonly dataDir: string
  /** `undefined`: an embedded Postgres in the data folder. */
  readonly databaseUrl: string | undefined
  readonly redisUrl: string | undefined
  readonly redisPrefix: string
  readonly poolSize: number
  readonly concurrency: number
  readonly secret: string | undefined
  readonly origins: readonly string[]
  readonly insecureCookies: boolean
  readonly trustProxy: boolean
  readonly softDelete: boolean | { readonly off: readonly string[] }
  readonly retentionDays: number
  readonly maxUploadBytes: number
  readonly limits: { readonly loginsPerMinute: number; readonly signUpsPerHour: number }
  readonly drainMs: number
  readonly seed: boolean
  readonly passwords: { readonly admin: string | undefined; readonly organiser: string | undefined }
  readonly smtpUrl: string | undefined
  readonly mailFrom: string
  readonly s3: { readonly bucket: string; readonly endpoint: string | undefined; readonly prefix: string } | undefined
}

/** An environment that the service cannot start with; the message names the variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads the environment; the one place that does. `NAME_FILE` names a file that holds the value of `NAME`, so that a
 * secret stands in no environment, where an engine or a process list would show it.
 *
 * @throws {@link ConfigError} naming the variable that cannot be used. Never shows values that may hold a password.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const text = (name: string) => {
    const value = env[name] || undefined
    const file = env[`${name}_FILE`] || undefined
    if (file === undefined) return value
    if (value === undefined) return readValue(name, file)
    throw new ConfigError(`Expected ${name} or ${name}_FILE, got both`)
  }
  const number = (name: string, fallback: number, min: number, max: number) => {
    const given = text(name)
    if (given === undefined) return fallback
    const value = Number(given)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new ConfigError(`Expected ${name} to be a whole number from ${min} to ${max}, got \`${given}\``)
  }
  const flag = (name: string, fallback: boolean) => {
    const given = text(name)
    if (given === undefined) return fallback
    if (given === 'true' || given === 'false') return given === 'true'
    throw new ConfigError(`Expected ${name} to be true or false, got \`${given}\``)
  }
  const address = (name: string, protocols: readonly string[]) => {
    const given = text(name)
    if (given === undefined) return undefined
    if (URL.canParse(given) && protocols.includes(new URL(given).protocol)) return given
    throw new ConfigError(`Expected ${name} to be an address that begins with ${protocols.join(' or ')}//`)
  }
  const list = (name: string) =>
    (text(name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')

  const role = text('ROLE') ?? 'all'
  if (role !== 'all' && role !== 'web' && role !== 'worker') {
    throw new ConfigError(`Expected ROLE to be all, web or worker, got \`${role}\``)
  }
  const databaseUrl = address('DATABASE_URL', ['postgres:', 'postgresql:'])
  if (role !== 'all' && databaseUrl === undefined) {
    throw new ConfigError(`Expected DATABASE_URL with ROLE=${role}: two processes cannot share the embedded server`)
  }
  const secret = text('SECRET')
  if (secret !== undefined && secret.length < 32)
    throw new ConfigError('Expected SECRET to have at least 32 characters')
  if (secret === undefined && role !== 'all') {
    throw new ConfigError(`Expected SECRET with ROLE=${role}: all processes of a service share one`)
  }
  const origins = list('ORIGINS')
  const off = text('SOFT_DELETE') ?? 'on'
  const bucket = text('S3_BUCKET')
  return {
    role,
    host: text('HOST') ?? '127.0.0.1',
    port: number('PORT', 8010, 0, 65_535),
    dataDir: path.resolve(text('DATA_DIR') ?? '.data/events-api'),
    databaseUrl,
    redisUrl: address('REDIS_URL', ['redis:', 'rediss:']),
    redisPrefix: text('REDIS_PREFIX') ?? 'events-api',
    poolSize: number('DATABASE_POOL', 10, 2, 500),
    concurrency: number('WORKER_CONCURRENCY', 4, 1, 200),
    secret,
    origins,
    insecureCookies: flag(
      'INSECURE_COOKIES',
      origins.every((origin) => origin.startsWith('http://')),
    ),
    trustProxy: flag('TRUST_PROXY', false),
    softDelete: off === 'on' ? true : off === 'off' ? false : { off: list('SOFT_DELETE') },
    retentionDays: number('TRASH_RETENTION_DAYS', 30, 1, 36_500),
    maxUploadBytes: number('MAX_UPLOAD_BYTES', 20 * 1024 * 1024, 1024, 1024 ** 3),
    limits: {
      loginsPerMinute: number('LOGINS_PER_MINUTE', 30, 0, 1_000_000),
      signUpsPerHour: number('SIGN_UPS_PER_HOUR', 60, 0, 1_000_000),
    },
    drainMs: number('DRAIN_MS', 10_000, 0, 600_000),
    seed: flag('SEED', role === 'all'),
    passwords: { admin: text('ADMIN_PASSWORD'), organiser: text('ORGANISER_PASSWORD') },
    smtpUrl: address('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: text('MAIL_FROM') ?? 'Events <events@localhost>',
    s3:
      bucket === undefined
        ? undefined
        : {
            bucket,
            endpoint: address('S3_ENDPOINT', ['http:', 'https:']),
            prefix: text('S3_PREFIX') ?? '',
          },
  }
}

function readValue(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(`Expected ${name}_FILE to name a file that can be read, got ${code}`, { cause: error })
  }
}
