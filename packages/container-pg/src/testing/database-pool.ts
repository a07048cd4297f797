import { randomBytes } from 'node:crypto'

import { Client, escapeIdentifier, Pool } from 'pg'

import { ALL_NAMES, cloneName, draftName, isTemplate, lockNumber, ownerOf, templateName } from './names.ts'

/** Options of {@link databasePool}. */
export interface DatabasePoolOptions {
  /** Address of any database of a Postgres server, 13 or newer, as a role that may create databases. */
  readonly url: string
  /** Brings an empty database to the state that tests start from. Gets its address; must close its connections. */
  readonly migrate: (url: string) => Promise<void>
  /** Fills the migrated database. Runs once, after `migrate`. */
  readonly seed?: (url: string) => Promise<void>
  /**
   * Names the state that `migrate` and `seed` make, such as {@link hashFiles} of the migrations. Pools of one version share one
   * template, over workers, processes and runs. Change it when the state changes.
   * @default a template of its own for each pool, dropped with it
   */
  readonly version?: string
  /** Databases kept ready ahead of demand. Minimum 0. @default 2 */
  readonly warm?: number
  /** Statements of the pool at a time. Minimum 1. @default 4 */
  readonly concurrency?: number
}

/** A database of a test's own; disposing drops it, open connections included. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: string
  /** Its address, with the role of the pool's. */
  readonly url: string
}

/** Hands out isolated databases; disposing drops those that are left. */
export interface DatabasePool extends AsyncDisposable {
  /** Gives a database in the migrated state that nobody else uses. */
  acquire(): Promise<TestDatabase>
}

/** Templates that no pool has used for so long go, in days. */
const KEEP_TEMPLATES_DAYS = 7

/**
 * Gives tests databases of their own: migrates once into a template and clones it, a few clones ahead of demand.
 *
 * Safe with several workers and processes on one server. What a killed process leaves is dropped by the next pool on the
 * server: each pool holds an advisory lock that the server frees when the connection ends.
 *
 * @throws RangeError when `warm` or `concurrency` is out of its range. Errors of `migrate`, `seed` and the server are passed on.
 * @example
 * const pool = await databasePool({ url, migrate, version: await hashFiles('migrations') })
 * await using database = await pool.acquire()
 */
export async function databasePool(options: DatabasePoolOptions): Promise<DatabasePool> {
  const { url, version, warm = 2, concurrency = 4 } = options
  if (!(Number.isInteger(warm) && warm >= 0))
    throw new RangeError(`Expected \`warm\` to be a whole number from 0, got \`${warm}\``)
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new RangeError(`Expected \`concurrency\` to be a whole number from 1, got \`${concurrency}\``)
  }
  await using stack = new AsyncDisposableStack()
  // Its session holds the locks, so it must live as long as the pool.
  const keeper = stack.adopt(new Client({ connectionString: url }), (client) => client.end())
  await keeper.connect()
  const admin = stack.adopt(new Pool({ connectionString: url, max: concurrency, allowExitOnIdle: true }), (pool) =>
    pool.end(),
  )
  admin.on('error', () => {})

  const owner = randomBytes(8).toString('hex')
  await keeper.query('SELECT pg_advisory_lock($1)', [lockNumber(owner)])
  await sweep(keeper)
  const template = version === undefined ? cloneName(owner, 0) : templateName(`${version}`)
  const clones = new Clones({ url, admin, owner, template, warm })
  stack.use(clones)
  if (version === undefined) await buildTemplate(keeper, options, template, template)
  else await shareTemplate(keeper, options, template)
  clones.refill()

  const held = stack.move()
  let ending: Promise<void> | undefined
  return {
    acquire: () => clones.acquire(),
    [Symbol.asyncDispose]: () => (ending ??= held.disposeAsync()),
  }
}

interface ClonesOptions {
  readonly url: string
  readonly admin: Pool
  readonly owner: string
  readonly template: string
  readonly warm: number
}

/** The databases of one pool: those in the making or ready, those handed out, and those being dropped. */
class Clones implements AsyncDisposable {
  readonly #options: ClonesOptions
  readonly #ready: Promise<string>[] = []
  readonly #dropping = new Set<Promise<void>>()
  readonly #out = new Set<string>()
  #count = 0
  #closed = false

  constructor(options: ClonesOptions) {
    this.#options = options
  }

  refill(): void {
    while (!this.#closed && this.#ready.length < this.#options.warm) this.#ready.push(this.#make())
  }

  async acquire(): Promise<TestDatabase> {
    if (this.#closed) throw new TypeError('Expected an open database pool, got one that was disposed')
    const coming = this.#ready.shift() ?? this.#make()
    let name: string
    try {
      name = await coming
    } finally {
      this.refill()
    }
    this.#out.add(name)
    return {
      name,
      url: addressOf(this.#options.url, name),
      [Symbol.asyncDispose]: () => {
        // Nobody waits for the disk: the pool does, when it is disposed.
        if (this.#out.delete(name)) this.#drop(name)
        return Promise.resolve()
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    const made = await Promise.allSettled(this.#ready)
    for (const result of made) if (result.status === 'fulfilled') this.#drop(result.value)
    for (const name of this.#out) this.#drop(name)
    await Promise.all(this.#dropping)
    if (ownerOf(this.#options.template) !== undefined) await dropDatabase(this.#options.admin, this.#options.template)
  }

  #make(): Promise<string> {
    const { admin, owner, template } = this.#options
    this.#count += 1
    const name = cloneName(owner, this.#count)
    const made = admin
      .query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`)
      .then(() => name)
    // Whoever takes it hears of a failure; until then it must not end the process.
    made.catch(() => {})
    return made
  }

  #drop(name: string): void {
    const done = dropDatabase(this.#options.admin, name)
      .catch(() => {
        // The server is gone, and the database with it; if not, the next pool's sweep finds it.
      })
      .finally(() => this.#dropping.delete(done))
    this.#dropping.add(done)
  }
}

type Queryable = Pick<Client, 'query'> | Pick<Pool, 'query'>

async function dropDatabase(client: Queryable, name: string): Promise<void> {
  await (client as Pool).query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`)
}

/**
 * Finds or makes the template of a version, and keeps others from removing it while this session lives.
 *
 * Two locks: one is held alone and briefly by who looks or makes, the other is shared by all who use the template. A
 * template is made under another name and renamed when it is complete.
 */
async function shareTemplate(keeper: Client, options: DatabasePoolOptions, template: string): Promise<void> {
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

async function buildTemplate(
  keeper: Client,
  options: DatabasePoolOptions,
  draft: string,
  template: string,
): Promise<void> {
  await dropDatabase(keeper, draft)
  await keeper.query(`CREATE DATABASE ${escapeIdentifier(draft)}`)
  const address = addressOf(options.url, draft)
  try {
    await options.migrate(address)
    await options.seed?.(address)
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

async function databaseExists(client: Client, name: string): Promise<boolean> {
  return (await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])).rowCount === 1
}

/** Drops the databases of pools whose session has ended, and templates that nobody has used for long. */
async function sweep(keeper: Client): Promise<void> {
  const { rows } = await keeper.query<{ name: string; idle: boolean }>(
    `SELECT datname AS name,
            coalesce(shobj_description(oid, 'pg_database')::timestamptz < now() - make_interval(days => $2), false) AS idle
       FROM pg_database WHERE datname LIKE $1`,
    [ALL_NAMES, KEEP_TEMPLATES_DAYS],
  )
  for (const { name, idle } of rows) {
    const holder = ownerOf(name) ?? (idle && isTemplate(name) ? name : undefined)
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

function addressOf(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${encodeURIComponent(database)}`
  return address.href
}
