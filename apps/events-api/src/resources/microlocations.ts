import { integer, number, text } from './attributes.ts'
import { defineResource, toMany, toOne } from './resource.ts'
import { createTable, liveUnique, referenceIndex } from './table.ts'

export const microlocations = defineResource({
  type: 'microlocations',
  singular: 'microlocation',
  description: 'A room, a stage, a booth: a place within the venue.',
  table: 'microlocations',
  softDelete: true,
  eventColumn: 'event_id',
  signal: 'microlocation',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    name: text({ required: true, description: 'Name; unique among live ones of the event.', example: 'Auditorium' }),
    floor: integer({ min: -20, max: 200, description: 'Floor, 0 is the ground floor.', example: 1 }),
    room: text({ max: 60, description: 'Number on the door.', example: '1.04' }),
    latitude: number({ min: -90, max: 90, description: 'Degrees north.', example: 38.7625 }),
    longitude: number({ min: -180, max: 180, description: 'Degrees east.', example: -9.0957 }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    sessions: toMany('sessions', 'microlocation'),
  },
  unique: { microlocations_name_live: 'name' },
  migrations: {
    '2026_11_21_031_microlocations': createTable(
      'microlocations',
      `event_id integer not null references events on delete cascade,
       name text not null,
       floor integer,
       room text,
       latitude double precision,
       longitude double precision`,
      {
        trash: true,
        indexes: [
          referenceIndex('microlocations', 'event_id'),
          liveUnique('microlocations', 'microlocations_name_live', 'event_id, name'),
        ],
      },
    ),
  },
})
