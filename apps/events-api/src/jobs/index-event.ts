import { sql } from 'kysely'

import type { Tx } from '../resources/resource.ts'

/**
 * Brings the search index of an event up to date; one that is gone or in the trash leaves it. Safe to repeat.
 *
 * Two at once take turns, and the later one reads what is there by then: else it could put words back that the other had
 * taken out.
 */
export async function updateIndex(tx: Tx, eventId: number): Promise<void> {
  const event = await tx
    .selectFrom('events')
    .select(['name', 'description', 'location_name'])
    .where('id', '=', eventId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (event === undefined) {
    await tx.deleteFrom('event_search').where('event_id', '=', eventId).execute()
    return
  }
  const sessions = await tx.selectFrom('sessions').select(['title']).where('event_id', '=', eventId).execute()
  const speakers = await tx.selectFrom('speakers').select(['name']).where('event_id', '=', eventId).execute()
  const words = [
    event['name'],
    event['location_name'],
    ...sessions.map((session) => session['title']),
    ...speakers.map((speaker) => speaker['name']),
    event['description'],
  ]
  const vector = sql`to_tsvector('simple', ${words.filter((word) => typeof word === 'string').join('\n')})`
  await tx
    .insertInto('event_search')
    .values({ event_id: eventId, words: vector })
    .onConflict((conflict) => conflict.column('event_id').doUpdateSet({ words: vector }))
    .execute()
}
