import { integer, link, text } from './attributes.ts'
import { defineResource, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

export const sponsors = defineResource({
  type: 'sponsors',
  singular: 'sponsor',
  description: 'Somebody who pays for a part of an event.',
  table: 'sponsors',
  softDelete: true,
  eventColumn: 'event_id',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    name: text({ required: true, description: 'Name of the sponsor.', example: 'Acme Databases' }),
    level: integer({ min: 0, max: 100, description: 'Rank, 1 stands first.', example: 1 }),
    description: text({ max: 20_000, description: 'A few words.', example: 'They store what you store.' }),
    url: link({ description: 'Site of the sponsor.', example: 'https://acme.example.com' }),
    'logo-url': link({ description: 'Picture.', example: 'https://acme.example.com/logo.png' }),
  },
  relationships: { event: toOne('events', 'event_id', { required: true, set: 'once' }) },
  migrations: {
    '2026_11_21_033_sponsors': createTable(
      'sponsors',
      `event_id integer not null references events on delete cascade,
       name text not null,
       level integer,
       description text,
       url text,
       logo_url text`,
      { trash: true, indexes: [referenceIndex('sponsors', 'event_id')] },
    ),
  },
})
