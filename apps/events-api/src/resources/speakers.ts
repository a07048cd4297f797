import { flag, link, text } from './attributes.ts'
import { defineResource, through, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

export const speakers = defineResource({
  type: 'speakers',
  singular: 'speaker',
  description: 'Somebody who speaks at an event.',
  table: 'speakers',
  softDelete: true,
  eventColumn: 'event_id',
  ownerColumn: 'user_id',
  signal: 'speaker',
  access: { read: 'anyone', create: 'organiser', update: 'owner', remove: 'owner' },
  attributes: {
    name: text({ required: true, description: 'Name as announced.', example: 'Ada Marques' }),
    'short-biography': text({ max: 5000, description: 'A few sentences.', example: 'Keeps databases awake.' }),
    organisation: text({ description: 'Employer or project.', example: 'Projeto Lagoa' }),
    position: text({ description: 'What she does there.', example: 'Maintainer' }),
    country: text({ max: 80, description: 'Where she comes from.', example: 'Portugal' }),
    website: link({ description: 'Page of her own.', example: 'https://ada.example.org' }),
    'photo-url': link({ description: 'Picture.', example: 'https://ada.example.org/me.jpg' }),
    'is-featured': flag({ description: 'Shown first.', example: true }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    user: toOne('users', 'user_id', { set: 'never' }),
    sessions: through('sessions', {
      table: 'sessions_speakers',
      here: 'speaker_id',
      there: 'session_id',
      writable: false,
    }),
  },
  migrations: {
    '2026_11_21_035_speakers': createTable(
      'speakers',
      `event_id integer not null references events on delete cascade,
       user_id integer references users on delete set null,
       name text not null,
       short_biography text,
       organisation text,
       position text,
       country text,
       website text,
       photo_url text,
       is_featured boolean not null default false`,
      { trash: true, indexes: [referenceIndex('speakers', 'event_id')] },
    ),
  },
})
