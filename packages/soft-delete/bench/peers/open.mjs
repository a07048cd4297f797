// Plain JavaScript: the peers are installed for a bench only, so their types are not there when this package is checked.
import { createExecutor } from '@kysera/executor'
import { softDeletePlugin } from '@kysera/soft-delete'
import { ZenStackClient } from '@zenstackhq/orm'
import { SoftDeletePlugin } from '@zenstackhq/plugin-soft-delete'
import { Kysely, SqliteDialect } from 'kysely'

/** Opens both peers on a better-sqlite3 database, their tables configured as their documents say. */
export async function openPeers(database, tables) {
  const client = new ZenStackClient(schemaOf(tables), {
    dialect: new SqliteDialect({ database }),
    plugins: [new SoftDeletePlugin()],
  })
  const plain = new Kysely({ dialect: new SqliteDialect({ database }) })
  const configured = Object.keys(tables).filter((name) => tables[name].includes('deleted_at'))
  const executor = await createExecutor(plain, [softDeletePlugin({ tables: configured })])
  return { '@zenstackhq/plugin-soft-delete': client.$qb, '@kysera/soft-delete': executor }
}

/** What ZenStack's generator writes for such models. */
function schemaOf(tables) {
  const models = Object.entries(tables).map(([name, columns]) => [
    name,
    { name, fields: fieldsOf(columns), idFields: ['id'], uniqueFields: { id: { type: 'Int' } } },
  ])
  return { provider: { type: 'sqlite' }, models: Object.fromEntries(models), enums: {}, plugins: {} }
}

function fieldsOf(columns) {
  const field = (name) => {
    if (name === 'id') return { name, type: 'Int', id: true, attributes: [{ name: '@id' }] }
    if (name === 'deleted_at') return { name, type: 'DateTime', optional: true, attributes: [{ name: '@deletedAt' }] }
    return { name, type: name.endsWith('_id') ? 'Int' : 'String', optional: true }
  }
  return Object.fromEntries(columns.map((name) => [name, field(name)]))
}
