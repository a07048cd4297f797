import { ICalCalendar, ICalEventStatus } from 'ical-generator'

import type { Row } from '../resources/resource.ts'

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/**
 * Writes the event and its scheduled sessions as iCalendar; moments are in UTC.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5545
 */
export function calendarOf(event: Row, sessions: readonly Row[], places: readonly Row[]): string {
  const names = new Map(places.map((place) => [place['id'], text(place['name'])]))
  const venue = text(event['location_name'])
  const calendar = new ICalCalendar({ name: String(event['name']), prodId: '//org//events-api//EN' })
  const host = `${String(event['identifier'])}.events-api`
  calendar.createEvent({
    id: `event-${String(event['id'])}@${host}`,
    summary: String(event['name']),
    start: event['starts_at'] as Date,
    end: event['ends_at'] as Date,
    stamp: event['updated_at'] as Date,
    ...optional('description', text(event['description'])),
    ...optional('location', venue),
    ...optional('url', text(event['website_url'])),
  })
  for (const session of sessions) {
    if (!session['starts_at'] || !session['ends_at']) continue
    const place = [names.get(session['microlocation_id']), venue].filter((part) => part !== undefined).join(', ')
    calendar.createEvent({
      id: `session-${String(session['id'])}@${host}`,
      summary: String(session['title']),
      start: session['starts_at'] as Date,
      end: session['ends_at'] as Date,
      stamp: session['updated_at'] as Date,
      status: session['state'] === 'confirmed' ? ICalEventStatus.CONFIRMED : ICalEventStatus.TENTATIVE,
      ...optional('description', text(session['abstract'])),
      ...optional('location', place === '' ? undefined : place),
    })
  }
  return calendar.toString()
}

function optional<Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: string }
}
