import { randomBytes } from 'node:crypto'

import type { RunningService } from './create-service.ts'
import { conference } from './seed-data.ts'
import { writeUser } from './accounts.ts'
import { indexEvent } from './jobs/definitions.ts'
import type { Tx } from './resources/resource.ts'

/** How to sign in to a seeded service; `undefined` for an account that was there before. */
export interface SeededPasswords {
  readonly admin: string | undefined
  readonly organiser: string | undefined
}

/** Passwords to use; generated where none is given. */
export type GivenPasswords = SeededPasswords

/**
 * Fills an empty service with two accounts and a conference. Safe to repeat: what is there stays as it is.
 *
 * @returns the passwords of the accounts that were made now.
 */
export async function seed(service: RunningService, given: GivenPasswords): Promise<SeededPasswords> {
  const admin = await ensureAccount(service, 'admin', 'Ana Administrator', given.admin, true)
  const organiser = await ensureAccount(service, 'organiser', 'Olga Organiser', given.organiser, false)
  await setAddress(service, admin.id, 'admin@example.org')
  await setAddress(service, organiser.id, 'organiser@example.org')
  await service.tasks.transaction(async (tx) => {
    const any = await tx.withoutPlugins().selectFrom('events').select('id').limit(1).executeTakeFirst()
    if (any !== undefined) return
    for (const event of conference) {
      const id = await insertEvent(tx, event, organiser.id)
      await service.tasks.enqueue(indexEvent, { eventId: id })
    }
  })
  return { admin: admin.password, organiser: organiser.password }
}

async function ensureAccount(
  service: RunningService,
  username: string,
  fullname: string,
  given: string | undefined,
  isAdmin: boolean,
): Promise<{ readonly id: number; readonly password: string | undefined }> {
  const known = await service.accounts.accounts.get(username)
  if (known !== undefined) {
    await writeUser(service.db, known)
    return { id: known.id, password: undefined }
  }
  const password = given ?? randomBytes(12).toString('base64url')
  const account = await service.accounts.accounts.create({ username, password, profile: { fullname }, isAdmin })
  await writeUser(service.db, account)
  return { id: account.id, password }
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
