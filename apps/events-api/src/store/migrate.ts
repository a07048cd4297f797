import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'

import type { Database, Resource } from '../resources/resource.ts'

/** What no single resource owns. The trigger gives each change of a row its version, whoever makes it. */
const common: Readonly<Record<string, string>> = {
  '2026_11_21_000_versions': `
    create function next_version() returns trigger language plpgsql as $$
    begin
      new.version := old.version + 1;
      new.updated_at := now();
      return new;
    end $$`,
  '2026_11_21_090_event_search': `
    create table event_search (
      event_id integer primary key references events on delete cascade,
      words tsvector not null
    );
    create index event_search_words on event_search using gin (words)`,
}

/**
 * Brings the tables of all resources up to date. Safe to repeat and to run in several processes at once.
 *
 * @throws the database's error; a migration that fails leaves nothing of itself.
 */
export async function migrateResources(db: Database, resources: readonly Resource[]): Promise<void> {
  const steps = Object.assign({}, common, ...resources.map((resource) => resource.migrations)) as typeof common
  const migrations: Record<string, Migration> = {}
  for (const [name, statements] of Object.entries(steps)) {
    migrations[name] = { up: async (tx) => void (await sql.raw(statements).execute(tx)) }
  }
  const { error } = await new Migrator({
    db: db.withoutPlugins(),
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableName: 'events_api_migration',
    migrationLockTableName: 'events_api_migration_lock',
    // A resource that is added later sorts among those that ran before.
    allowUnorderedMigrations: true,
  }).migrateToLatest()
  if (error !== undefined) throw error
}
