import { location, name, oneOf, text } from '../../config/params.ts'
import { ProbeError } from '../../errors.ts'
import type { ServerRecord } from '../../isolation/operations/read-database.ts'
import type { Order, Others, ProbeContext } from '../probe.ts'

type Mode = 'active' | 'delete'

/** Parameters of every database probe; `table` is the name that the original's own files give. */
export const databaseParams = (table: string) => ({
  path: location("The hub's SQLite file."),
  user: name('User whose rows are meant.'),
  server: text('Name of a named server, empty for the default one.', { fallback: '' }),
  mode: oneOf(['active', 'delete'], { 1: 'active', 0: 'delete' })('Whether a running server is expected, or none.'),
  table_name: name('Table to look in.', { aliases: ['table'], fallback: table }),
})

interface DatabaseValues {
  readonly path: string
  readonly user: string
  readonly server: string
  readonly mode: Mode
  readonly table_name: string
}

/** Room between the end of the wait for a lock and the probe's own limit, in milliseconds. */
const lockMarginMs = 300

/** Reads the rows of the probe's user and server. Their table has the name that the file gives. */
export async function readRecord(
  context: ProbeContext,
  values: DatabaseValues,
  own: 'tokens' | 'servers' | 'spawners',
): Promise<ServerRecord> {
  const { path, user, server } = values
  const tables = { tokens: 'api_tokens', servers: 'servers', spawners: 'spawners', [own]: values.table_name }
  const lockMs = Math.max(50, context.deadline - performance.now() - lockMarginMs)
  const record = await context.isolated(
    'readDatabase',
    { path, user, server, tables, lockMs: Math.floor(lockMs) },
    { path },
  )
  context.measure({ name: 'open_seconds', value: record.openSeconds, unit: 's' })
  // In both modes: a name that was mistyped has no server either, and that proves nothing.
  if (!record.userFound) throw new ProbeError('PROBE_DB_STATE', `\`${path}\` has no user \`${user}\``)
  return record
}

/** Compares what was found with what the mode expects, and says so in the original's words. */
export function judge(context: ProbeContext, values: DatabaseValues, found: string | undefined, what: string): void {
  const active = found !== undefined
  context.log('INFO', active ? `Server is active, ${found}` : 'Server is not active')
  if (active === (values.mode === 'active')) return
  throw new ProbeError(
    'PROBE_DB_STATE',
    active
      ? `Expected no ${what} for ${values.user}, found ${found}`
      : `Expected ${what} for ${values.user}, there is none`,
  )
}

/**
 * Places a probe around the session that the same run makes for the user: `active` while it is there, `delete` when it
 * is gone again. Without such a session it stands alone.
 */
export function databaseOrder(values: DatabaseValues, others: Others): Order | undefined {
  const create = 'jupyterhub_api.create_session'
  const stop = 'jupyterhub_api.stop_session'
  const about = (id: string) =>
    (others.values(id)?.['users'] as readonly string[] | undefined)?.includes(values.user) === true
  if (values.mode === 'active') {
    if (!about(create)) return undefined
    return { chain: 'hub', after: [create, 'jupyterhub_api.check_session'], needs: [create] }
  }
  return about(stop) ? { chain: 'hub', after: [stop], needs: [stop] } : undefined
}
