import { integer, text } from './attributes.ts'
import { defineResource, toMany, toOne } from './resource.ts'
import { createTable, liveUnique, referenceIndex } from './table.ts'

export const sessionTypes = defineResource({
  type: 'session-types',
  singular: 'session type',
  description: 'A form of session, such as a talk or a workshop, and how long one takes.',
  table: 'session_types',
  softDelete: true,
  eventColumn: 'event_id',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    name: text({ required: true, description: 'Name; unique among live ones of the event.', example: 'Talk' }),
    'length-minutes': integer({ required: true, min: 1, max: 1440, description: 'Length in minutes.', example: 45 }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    sessions: toMany('sessions', 'session-type'),
  },
  unique: { session_types_name_live: 'name' },
  migrations: {
    '2026_11_21_032_session_types': createTable(
      'session_types',
      `event_id integer not null references events on delete cascade,
       name text not null,
       length_minutes integer not null`,
      {
        trash: true,
        indexes: [
          referenceIndex('session_types', 'event_id'),
          liveUnique('session_types', 'session_types_name_live', 'event_id, name'),
        ],
      },
    ),
  },
})
