import { randomBytes } from 'node:crypto'

import { Client, Pool } from 'pg'

import { Clones } from './clones.ts'
import { cloneName, lockNumber, templateName } from './names.ts'
import { chooseStrategy, dropDatabase } from './statements.ts'
import { buildTemplate, shareTemplate, sweep } from './templates.ts'

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
  // Whoever waits for an answer hears of a lost connection; else the next statement does.
  keeper.on('error', () => {})
  await keeper.connect()
  const admin = stack.adopt(new Pool({ connectionString: url, max: concurrency, allowExitOnIdle: true }), (pool) =>
    pool.end(),
  )
  admin.on('error', () => {})

  const owner = randomBytes(8).toString('hex')
  await keeper.query('SELECT pg_advisory_lock($1)', [lockNumber(owner)])
  await sweep(keeper)
  const addressOf = (database: string) => addressIn(url, database)
  const making = { migrate: options.migrate, seed: options.seed, addressOf }
  const template = version === undefined ? cloneName(owner, 0) : templateName(version)
  if (version === undefined) {
    stack.defer(() => dropDatabase(admin, template))
    await buildTemplate(keeper, making, template, template)
  } else {
    await shareTemplate(keeper, making, template)
  }
  const strategy = await chooseStrategy(keeper)
  const clones = stack.use(new Clones({ admin, owner, template, strategy, warm, concurrency }))

  const held = stack.move()
  let ending: Promise<void> | undefined
  return {
    async acquire() {
      const name = await clones.take()
      return {
        name,
        url: addressOf(name),
        [Symbol.asyncDispose]: () => Promise.resolve(clones.giveBack(name)),
      }
    },
    [Symbol.asyncDispose]: () => (ending ??= held.disposeAsync()),
  }
}

function addressIn(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${encodeURIComponent(database)}`
  return address.href
}
