import type { Mailer } from '../mail.ts'
import type { Change, Tx } from '../resources/resource.ts'
import { JobError } from './tracking.ts'

const verbs = {
  created: 'was created',
  updated: 'was changed',
  trashed: 'was put into the trash',
  restored: 'was restored',
  deleted: 'was deleted',
} as const

/**
 * Tells the organisers of an event what happened. Those without an address hear nothing; an address that fails keeps
 * nobody else from hearing.
 *
 * @throws {@link JobError} when a server refused mail for good: to try again would only tell the others twice. The first
 *   other failure, if there is one.
 */
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
  const failures: unknown[] = []
  for (const { email } of organisers) {
    try {
      await mailer.send({ to: email as string, subject, text: `${subject}.\n\n/v1/events/${eventId}\n` })
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length === 0) return organisers.length
  const passing = failures.find((failure) => !isFinal(failure))
  if (passing !== undefined) throw passing
  throw new JobError(`Mail to ${failures.length} of ${organisers.length} organisers was refused`, {
    cause: failures[0],
  })
}

/** SMTP's replies of 5xx. @see https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1 */
function isFinal(error: unknown): boolean {
  return error instanceof Error && 'responseCode' in error && Number(error.responseCode) >= 500
}
