import { type CreateTableBuilder, type Kysely, sql } from 'kysely'
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration'

import { NativeAuthError } from '../errors.ts'
import { isPostgres } from './dialect.ts'

type Table = CreateTableBuilder<string, never>

/** A growing number that is never given out twice, so that a removed account's number names nobody else. */
function withId(db: Kysely<unknown>, table: Table) {
  return table.addColumn('id', 'integer', (column) =>
    isPostgres(db) ? column.primaryKey().generatedAlwaysAsIdentity() : column.primaryKey().autoIncrement(),
  )
}

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await withId(db, db.schema.createTable('native_auth_accounts') as Table)
      .addColumn('username', 'text', (column) => column.notNull().unique())
      .addColumn('display_name', 'text', (column) => column.notNull())
      .addColumn('password_hash', 'text', (column) => column.notNull())
      .addColumn('email', 'text')
      .addColumn('profile', 'text', (column) => column.notNull())
      .addColumn('is_authorised', 'integer', (column) => column.notNull())
      .addColumn('is_admin', 'integer', (column) => column.notNull())
      .addColumn('is_blocked', 'integer', (column) => column.notNull())
      .addColumn('blocked_reason', 'text')
      .addColumn('blocked_until', 'bigint')
      .addColumn('terms_accepted_at', 'bigint')
      .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('totp_secret', 'text')
      .addColumn('totp_step', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('has_totp', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('authorised_at', 'bigint')
      .addColumn('last_login_at', 'bigint')
      .addColumn('password_changed_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('native_auth_sessions')
      .addColumn('token_hash', 'text', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('account_id', 'integer', (column) =>
        column.notNull().references('native_auth_accounts.id').onDelete('cascade'),
      )
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('used_at', 'bigint', (column) => column.notNull())
      .addColumn('ip', 'text')
      .addColumn('user_agent', 'text')
      .execute()
    await db.schema
      .createTable('native_auth_tokens')
      .addColumn('token_hash', 'text', (column) => column.primaryKey())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('account_id', 'integer', (column) => column.references('native_auth_accounts.id').onDelete('cascade'))
      .addColumn('data', 'text', (column) => column.notNull())
      .addColumn('tries', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    await withId(db, db.schema.createTable('native_auth_recovery_codes') as Table)
      .addColumn('account_id', 'integer', (column) =>
        column.notNull().references('native_auth_accounts.id').onDelete('cascade'),
      )
      .addColumn('code_hash', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('native_auth_throttle')
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('hits', 'integer', (column) => column.notNull())
      .addColumn('denied', 'integer', (column) => column.notNull())
      .addColumn('blocked_until', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute()
    // No reference to the accounts: the trail outlives them.
    await withId(db, db.schema.createTable('native_auth_audit') as Table)
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('actor_id', 'integer')
      .addColumn('account_id', 'integer')
      .addColumn('username', 'text')
      .addColumn('ip', 'text')
      .addColumn('details', 'text', (column) => column.notNull())
      .execute()
    for (const [table, column] of [
      ['sessions', 'account_id'],
      ['sessions', 'used_at'],
      ['tokens', 'account_id'],
      ['tokens', 'expires_at'],
      ['recovery_codes', 'account_id'],
      ['throttle', 'expires_at'],
      ['audit', 'account_id'],
    ] as const) {
      await db.schema.createIndex(`native_auth_${table}_${column}`).on(`native_auth_${table}`).column(column).execute()
    }
  },
  async down(db: Kysely<unknown>) {
    for (const table of ['audit', 'throttle', 'recovery_codes', 'tokens', 'sessions', 'accounts']) {
      await db.schema.dropTable(`native_auth_${table}`).execute()
    }
  },
}

/** The tables, as versioned Kysely migrations; the same on SQLite and Postgres. */
export const migrations: MigrationProvider = {
  getMigrations: () => Promise.resolve({ 'native-auth-0001': first }),
}

/**
 * Brings the tables up to date. Safe to repeat and to run in several processes at once.
 *
 * Keeps its own record (`native_auth_migration`), so it does not meet the migrations of the application.
 *
 * @throws The database's own error when a statement fails; what ran before it stays undone where DDL is transactional.
 */
export async function migrate<DB>(db: Kysely<DB>): Promise<void> {
  // Without a schema the migrator takes a table of the same name in any other schema for its own.
  const schema = isPostgres(db) ? await currentSchema(db) : undefined
  const migrator = new Migrator({
    db,
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
    provider: migrations,
    migrationTableName: 'native_auth_migration',
    migrationLockTableName: 'native_auth_migration_lock',
  })
  let { error } = await migrator.migrateToLatest()
  // On SQLite nothing keeps two processes apart; the one that lost finds the tables made.
  if (error !== undefined) ({ error } = await migrator.migrateToLatest())
  if (error === undefined) return
  if (error instanceof Error) throw error
  throw new NativeAuthError('NATIVE_AUTH_INTERNAL', 'Expected the migrations to run', { cause: error })
}

async function currentSchema<DB>(db: Kysely<DB>): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db)
  return rows[0]?.name ?? undefined
}
