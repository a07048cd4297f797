import type { Mailer } from '../mail.ts'
import type { Change, Tx } from '../resources/resource.ts'

const verbs = {
  created: 'was created',
  updated: 'was changed',
  trashed: 'was put into the trash',
  restored: 'was restored',
  deleted: 'was deleted',
} as const

/** Tells the organisers of an event what happened. Those without an address hear nothing. */
export async function sendToOrganisers(
  tx: Tx,
  mailer: Mailer,
  { eventId, change }: { readonly eventId: number; readonly change: Change },
): Promise<number> {
  const organisers = await tx
    .selectFrom('users')
    .innerJoin('event_roles', 'event_roles.user_id', 'users.id')
    .select(['users.email'])
    .where('event_roles.event_id', '=', eventId)
    .where('users.email', 'is not', null)
    .orderBy('users.id')
    .execute()
  const subject = `Event ${eventId} ${verbs[change]}`
  for (const { email } of organisers) {
    await mailer.send({ to: email as string, subject, text: `${subject}.\n\n/v1/events/${eventId}\n` })
  }
  return organisers.length
}
