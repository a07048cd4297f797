import type { RunningService } from './create-service.ts'
import { conference } from './seed-data.ts'
import { writeUser } from './accounts.ts'
import { indexEvent } from './jobs/definitions.ts'
import type { Tx } from './resources/resource.ts'

/** The accounts of a seeded service. */
export type SeededAccount = 'admin' | 'organiser'

/**
 * Fills an empty service with two accounts and a conference. Safe to repeat: what is there stays as it is.
 *
 * @param passwordOf - Asked for each account that is not there yet, before it is made: what it answers must be kept by
 *   then, or a crash could leave an account that nobody can use.
 */
export async function seed(
  service: RunningService,
  passwordOf: (account: SeededAccount) => Promise<string>,
): Promise<void> {
  const admin = await ensureAccount(service, 'admin', 'Ana Administrator', passwordOf)
  const organiser = await ensureAccount(service, 'organiser', 'Olga Organiser', passwordOf)
  await setAddress(service, admin, 'admin@example.org')
  await setAddress(service, organiser, 'organiser@example.org')
  await service.tasks.transaction(async (tx) => {
    const any = await tx.withoutPlugins().selectFrom('events').select('id').limit(1).executeTakeFirst()
    if (any !== undefined) return
    for (const event of conference) {
      const id = await insertEvent(tx, event, organiser)
      await service.tasks.enqueue(indexEvent, { eventId: id })
    }
  })
}

async function ensureAccount(
  service: RunningService,
  username: SeededAccount,
  fullname: string,
  passwordOf: (account: SeededAccount) => Promise<string>,
): Promise<number> {
  const account =
    (await service.accounts.accounts.get(username)) ??
    (await service.accounts.accounts.create({
      username,
      password: await passwordOf(username),
      profile: { fullname },
      isAdmin: username === 'admin',
    }))
  await writeUser(service.db, account)
  return account.id
}

/** Mail of the demo goes to these; an address that its owner chose stays. */
async function setAddress(service: RunningService, id: number, email: string): Promise<void> {
  await service.db.updateTable('users').set({ email }).where('id', '=', id).where('email', 'is', null).execute()
}

async function insertEvent(tx: Tx, event: (typeof conference)[number], ownerId: number): Promise<number> {
  const insert = async (table: string, values: Record<string, unknown>) => {
    const row = await tx.insertInto(table).values(values).returning('id').executeTakeFirstOrThrow()
    return row['id'] as number
  }
  const eventId = await insert('events', { ...event.event, owner_id: ownerId })
  await insert('event_roles', { event_id: eventId, user_id: ownerId, role: 'owner' })
  const ids = new Map<string, number>()
  for (const [table, rows] of Object.entries(event.parts)) {
    for (const row of rows)
      ids.set(`${table}:${String(row['name'])}`, await insert(table, { ...row, event_id: eventId }))
  }
  for (const { track, microlocation, session_type, speakers, ...session } of event.sessions) {
    const sessionId = await insert('sessions', {
      ...session,
      event_id: eventId,
      track_id: ids.get(`tracks:${track}`),
      microlocation_id: ids.get(`microlocations:${microlocation}`),
      session_type_id: ids.get(`session_types:${session_type}`),
      state: 'confirmed',
      language: 'en',
    })
    for (const name of speakers) {
      const speakerId = ids.get(`speakers:${name}`)
      await tx.insertInto('sessions_speakers').values({ session_id: sessionId, speaker_id: speakerId }).execute()
    }
  }
  await insert('speakers_calls', { ...event.call, event_id: eventId })
  return eventId
}
