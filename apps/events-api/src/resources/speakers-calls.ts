import { instant, text } from './attributes.ts'
import { defineResource, toOne } from './resource.ts'
import { createTable, liveUnique } from './table.ts'

export const speakersCalls = defineResource({
  type: 'speakers-calls',
  singular: 'speakers call',
  description: 'The call for sessions of an event; one live call an event.',
  table: 'speakers_calls',
  softDelete: true,
  eventColumn: 'event_id',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    announcement: text({ required: true, max: 20_000, description: 'The call.', example: 'Tell us what you made.' }),
    'starts-at': instant({ required: true, description: 'Opens.', example: '2027-01-01T00:00:00.000Z' }),
    'ends-at': instant({
      required: true,
      description: 'Closes, after it opened.',
      example: '2027-02-01T00:00:00.000Z',
    }),
  },
  relationships: { event: toOne('events', 'event_id', { required: true, set: 'once' }) },
  unique: { speakers_calls_event_live: 'announcement' },
  check: (row) =>
    (row['ends_at'] as Date) <= (row['starts_at'] as Date)
      ? { attribute: 'ends-at', detail: 'Expected `ends-at` to be after `starts-at`' }
      : undefined,
  migrations: {
    '2026_11_21_034_speakers_calls': createTable(
      'speakers_calls',
      `event_id integer not null references events on delete cascade,
       announcement text not null,
       starts_at timestamptz not null,
       ends_at timestamptz not null`,
      { trash: true, indexes: [liveUnique('speakers_calls', 'speakers_calls_event_live', 'event_id')] },
    ),
  },
})
