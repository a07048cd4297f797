import { text } from './attributes.ts'
import { defineResource, toMany, toOne } from './resource.ts'
import { createTable, liveUnique, referenceIndex } from './table.ts'

export const tracks = defineResource({
  type: 'tracks',
  singular: 'track',
  description: 'A thread of sessions on one subject.',
  table: 'tracks',
  softDelete: true,
  eventColumn: 'event_id',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    name: text({ required: true, description: 'Name; unique among live tracks of the event.', example: 'Databases' }),
    description: text({ max: 20_000, description: 'What it is about.', example: 'Storage that lasts.' }),
    color: text({ required: true, format: 'color', description: 'Colour as #rrggbb.', example: '#2a6f97' }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    sessions: toMany('sessions', 'track'),
  },
  unique: { tracks_name_live: 'name' },
  migrations: {
    '2026_11_21_030_tracks': createTable(
      'tracks',
      `event_id integer not null references events on delete cascade,
       name text not null,
       description text,
       color text not null`,
      {
        trash: true,
        indexes: [referenceIndex('tracks', 'event_id'), liveUnique('tracks', 'tracks_name_live', 'event_id, name')],
      },
    ),
  },
})
