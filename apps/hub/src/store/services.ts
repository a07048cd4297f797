import type { Selectable } from 'kysely'

import type { Database, Tables } from './tables.ts'
import { hashToken, HUB_CLIENT, insertToken } from './tokens.ts'

/** A row of `services`: a program that talks to the API with a token of its own. */
export type Service = Selectable<Tables['services']>

/** A service as configuration declares it, its token already read. */
export interface ServiceSpec {
  readonly name: string
  readonly token: string
  readonly admin: boolean
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}

/** Finds a service by key. */
export async function serviceById(db: Database, id: number): Promise<Service | undefined> {
  return db.selectFrom('services').selectAll().where('id', '=', id).executeTakeFirst()
}

/** All services with the names of their roles. */
export async function listServices(db: Database): Promise<(Service & { readonly roles: string[] })[]> {
  const services = await db.selectFrom('services').selectAll().orderBy('id').execute()
  const roles = await db
    .selectFrom('service_role_map')
    .innerJoin('roles', 'roles.id', 'role_id')
    .select(['service_id', 'name'])
    .execute()
  return services.map((service) => ({
    ...service,
    roles: roles.filter(({ service_id }) => service_id === service.id).map(({ name }) => name),
  }))
}

/**
 * Makes the services of a database those of the configuration: rows, tokens and roles that it no longer names go.
 */
export async function ensureServices(db: Database, specs: readonly ServiceSpec[], now: Date): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .deleteFrom('services')
      .where('name', 'not in', [...specs.map(({ name }) => name), ''])
      .execute()
    for (const spec of specs) {
      const service = await tx
        .insertInto('services')
        .values({ name: spec.name, admin: spec.admin, _server_id: null, pid: null, oauth_client_id: null })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ admin: spec.admin }))
        .returningAll()
        .executeTakeFirstOrThrow()
      await ensureServiceToken(tx, service.id, spec.token, now)
      await ensureServiceRoles(tx, service.id, spec)
    }
  })
}

async function ensureServiceToken(db: Database, serviceId: number, token: string, now: Date): Promise<void> {
  const hashed = hashToken(token)
  await db.deleteFrom('api_tokens').where('service_id', '=', serviceId).where('hashed', '!=', hashed).execute()
  const known = await db.selectFrom('api_tokens').select('id').where('hashed', '=', hashed).executeTakeFirst()
  if (known !== undefined) return
  await insertToken(db, token, { serviceId, note: 'from config', scopes: ['inherit'], clientId: HUB_CLIENT }, now)
}

async function ensureServiceRoles(db: Database, serviceId: number, spec: ServiceSpec): Promise<void> {
  const wanted = [...spec.roles, ...(spec.admin ? ['admin'] : [])]
  if (spec.scopes.length > 0) {
    // JupyterHub keeps a service's rights in roles, so scopes given directly become one of its own.
    const name = `service-${spec.name}`
    const values = { description: `Scopes of the service ${spec.name}`, scopes: JSON.stringify(spec.scopes) }
    await db
      .insertInto('roles')
      .values({ name, ...values })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(values))
      .execute()
    wanted.push(name)
  }
  await db.deleteFrom('service_role_map').where('service_id', '=', serviceId).execute()
  const roles = await db
    .selectFrom('roles')
    .select('id')
    .where('name', 'in', [...wanted, ''])
    .execute()
  for (const { id } of roles) {
    await db.insertInto('service_role_map').values({ service_id: serviceId, role_id: id }).execute()
  }
}
