import { Client, escapeIdentifier } from 'pg'

import { ALL_NAMES, draftName, isDraft, isTemplate, lockNumber, ownerOf } from './names.ts'
import { databaseExists, dropDatabase } from './statements.ts'

/** How to make a template. */
interface TemplateOptions {
  readonly migrate: (url: string) => Promise<void>
  readonly seed?: ((url: string) => Promise<void>) | undefined
  /** Address of a database by its name. */
  readonly addressOf: (database: string) => string
}

/** Templates that no pool has used for so long go, in days. */
const KEEP_TEMPLATES_DAYS = 7

/**
 * Finds or makes the template of a version, and keeps others from removing it while this session lives.
 *
 * Two locks: one is held alone and briefly by who looks or makes, the other is shared by all who use the template. A
 * template is made under another name and renamed when it is complete.
 */
export async function shareTemplate(keeper: Client, options: TemplateOptions, template: string): Promise<void> {
  const making = lockNumber(draftName(template))
  await keeper.query('SELECT pg_advisory_lock($1)', [making])
  try {
    await keeper.query('SELECT pg_advisory_lock_shared($1)', [lockNumber(template)])
    if (!(await databaseExists(keeper, template))) await buildTemplate(keeper, options, draftName(template), template)
    await keeper.query(`COMMENT ON DATABASE ${escapeIdentifier(template)} IS '${new Date().toISOString()}'`)
  } finally {
    await keeper.query('SELECT pg_advisory_unlock($1)', [making])
  }
}

/** Makes a template as a draft, and gives it its name when it is complete. */
export async function buildTemplate(
  keeper: Client,
  { migrate, seed, addressOf }: TemplateOptions,
  draft: string,
  template: string,
): Promise<void> {
  await dropDatabase(keeper, draft)
  await keeper.query(`CREATE DATABASE ${escapeIdentifier(draft)}`)
  const address = addressOf(draft)
  try {
    await migrate(address)
    await seed?.(address)
    await visit(address)
  } catch (error) {
    await dropDatabase(keeper, draft)
    throw error
  }
  // A connection that migrate forgot would make every clone fail.
  await keeper.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [draft])
  await keeper.query(`ALTER DATABASE ${escapeIdentifier(draft)} ALLOW_CONNECTIONS false`)
  if (draft !== template)
    await keeper.query(`ALTER DATABASE ${escapeIdentifier(draft)} RENAME TO ${escapeIdentifier(template)}`)
}

/**
 * The first connection after a change of the schema writes a file with what every connection needs of the catalogue
 * (`pg_internal.init`). Copied along, it spares the first connection to each copy a quarter of its time.
 */
async function visit(address: string): Promise<void> {
  const client = new Client({ connectionString: address })
  client.on('error', () => {})
  await client.connect()
  await client.end()
}

/** Drops the databases of pools whose session has ended, half-made templates, and those that nobody has used for long. */
export async function sweep(keeper: Client): Promise<void> {
  const { rows } = await keeper.query<{ name: string; idle: boolean }>(
    `SELECT datname AS name,
            coalesce(shobj_description(oid, 'pg_database')::timestamptz < now() - make_interval(days => $2), false) AS idle
       FROM pg_database WHERE datname LIKE $1`,
    [ALL_NAMES, KEEP_TEMPLATES_DAYS],
  )
  for (const { name, idle } of rows) {
    const holder = ownerOf(name) ?? (isDraft(name) || (idle && isTemplate(name)) ? name : undefined)
    if (holder === undefined) continue
    const lock = lockNumber(holder)
    const { rows: got } = await keeper.query<{ ok: boolean }>('SELECT pg_try_advisory_lock($1) AS ok', [lock])
    if (got[0]?.ok !== true) continue
    try {
      await dropDatabase(keeper, name)
    } finally {
      await keeper.query('SELECT pg_advisory_unlock($1)', [lock])
    }
  }
}
