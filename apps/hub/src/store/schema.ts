import { type RawBuilder, sql } from 'kysely'

import { HubError } from '../errors.ts'
import type { Database } from './tables.ts'

/** Revision of JupyterHub 3.0's schema, which these tables are: its tools read them, and `jupyterhub upgrade-db` knows where to go on. */
const SCHEMA_REVISION = '651f5419b74d'

type Kind = 'sqlite' | 'postgres'

/** The statements that lay out an empty database. Columns and names as in JupyterHub 3.0.0 (dumped from `orm.py`, 2026-11). */
function statements(kind: Kind): readonly string[] {
  const id = kind === 'sqlite' ? 'id INTEGER NOT NULL PRIMARY KEY' : 'id SERIAL PRIMARY KEY'
  const moment = kind === 'sqlite' ? 'DATETIME' : 'TIMESTAMP'
  const bytes = kind === 'sqlite' ? 'BLOB' : 'BYTEA'
  const map = (one: string, two: string) => `CREATE TABLE ${one}_${two}_map (
    ${one}_id INTEGER NOT NULL REFERENCES ${one}s (id) ON DELETE CASCADE,
    ${two}_id INTEGER NOT NULL REFERENCES ${two}s (id) ON DELETE CASCADE,
    PRIMARY KEY (${one}_id, ${two}_id))`
  return [
    `CREATE TABLE servers (${id}, proto VARCHAR(15), ip VARCHAR(255), port INTEGER, base_url VARCHAR(255), cookie_name VARCHAR(255))`,
    `CREATE TABLE roles (${id}, name VARCHAR(255) UNIQUE, description VARCHAR(1023), scopes TEXT)`,
    `CREATE TABLE groups (${id}, name VARCHAR(255) UNIQUE)`,
    `CREATE TABLE users (${id}, name VARCHAR(255) UNIQUE, admin BOOLEAN, created ${moment}, last_activity ${moment},
      cookie_id VARCHAR(255) NOT NULL UNIQUE, state TEXT, encrypted_auth_state ${bytes})`,
    `CREATE TABLE oauth_clients (${id}, identifier VARCHAR(255) UNIQUE, description VARCHAR(1023), secret VARCHAR(255),
      redirect_uri VARCHAR(1023), allowed_scopes TEXT)`,
    `CREATE TABLE spawners (${id}, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
      server_id INTEGER REFERENCES servers (id) ON DELETE SET NULL, state TEXT, name VARCHAR(255), started ${moment},
      last_activity ${moment}, user_options TEXT,
      oauth_client_id VARCHAR(255) REFERENCES oauth_clients (identifier) ON DELETE SET NULL)`,
    `CREATE TABLE services (${id}, name VARCHAR(255) UNIQUE, admin BOOLEAN,
      _server_id INTEGER REFERENCES servers (id) ON DELETE SET NULL, pid INTEGER,
      oauth_client_id VARCHAR(255) REFERENCES oauth_clients (identifier) ON DELETE SET NULL)`,
    `CREATE TABLE oauth_codes (${id}, client_id VARCHAR(255) REFERENCES oauth_clients (identifier) ON DELETE CASCADE,
      code VARCHAR(36), expires_at INTEGER, redirect_uri VARCHAR(1023), session_id VARCHAR(255),
      user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, scopes TEXT)`,
    `CREATE TABLE api_tokens (user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
      service_id INTEGER REFERENCES services (id) ON DELETE CASCADE, ${id}, hashed VARCHAR(255) UNIQUE, prefix VARCHAR(16),
      client_id VARCHAR(255) REFERENCES oauth_clients (identifier) ON DELETE CASCADE, session_id VARCHAR(255),
      created ${moment}, expires_at ${moment}, last_activity ${moment}, note VARCHAR(1023), scopes TEXT)`,
    map('user', 'role'),
    map('group', 'role'),
    map('service', 'role'),
    map('user', 'group'),
    'CREATE INDEX ix_api_tokens_prefix ON api_tokens (prefix)',
    'CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)',
  ]
}

/**
 * Indexes that JupyterHub does not have. A start makes the missing ones, so a database taken over from it gets them too.
 */
const indexes: readonly string[] = [
  'CREATE INDEX IF NOT EXISTS ix_spawners_user ON spawners (user_id, name)',
  'CREATE INDEX IF NOT EXISTS ix_api_tokens_user ON api_tokens (user_id)',
  'CREATE INDEX IF NOT EXISTS ix_api_tokens_client ON api_tokens (client_id)',
  'CREATE INDEX IF NOT EXISTS ix_api_tokens_session ON api_tokens (session_id)',
  'CREATE INDEX IF NOT EXISTS ix_oauth_codes_code ON oauth_codes (code)',
]

const raw = (text: string): RawBuilder<unknown> => sql.raw(text)

/** The schema revision of a database, `undefined` when it is empty. */
async function schemaRevision(db: Database): Promise<string | undefined> {
  const tables = await db.introspection.getTables()
  if (!tables.some((table) => table.name === 'alembic_version')) return undefined
  return (await db.selectFrom('alembic_version').select('version_num').executeTakeFirst())?.version_num
}

/**
 * Lays out an empty database, in one transaction, or checks that an existing one has the shape this hub knows.
 *
 * @throws {@link HubError} `HUB_DATABASE` for a schema of another revision.
 */
export async function ensureSchema(db: Database, kind: Kind): Promise<'created' | 'present'> {
  const revision = await schemaRevision(db)
  if (revision !== undefined && revision !== SCHEMA_REVISION) {
    throw new HubError(
      'HUB_DATABASE',
      `Expected a database of schema ${SCHEMA_REVISION} (JupyterHub 3.0), got ${revision}. ` +
        'Bring an older one up with `jupyterhub upgrade-db` of JupyterHub 3.0 first; a newer one cannot be taken over.',
    )
  }
  await db.transaction().execute(async (tx) => {
    if (revision === undefined) {
      for (const statement of statements(kind)) await raw(statement).execute(tx)
      await tx.insertInto('alembic_version').values({ version_num: SCHEMA_REVISION }).execute()
    }
    for (const statement of indexes) await raw(statement).execute(tx)
  })
  return revision === undefined ? 'created' : 'present'
}
