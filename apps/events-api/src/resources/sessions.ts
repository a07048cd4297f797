import { choice, instant, link, text } from './attributes.ts'
import { defineResource, through, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

export const sessions = defineResource({
  type: 'sessions',
  singular: 'session',
  description: 'A talk, a workshop, a panel: an entry of the schedule.',
  table: 'sessions',
  softDelete: true,
  eventColumn: 'event_id',
  signal: 'session',
  access: { read: 'anyone', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    title: text({ required: true, max: 300, description: 'Title.', example: 'Rows that come back' }),
    subtitle: text({ max: 300, description: 'Second line.', example: 'Soft deletion without leaks' }),
    abstract: text({ max: 20_000, description: 'What it is about.', example: 'Where a predicate belongs, and why.' }),
    language: text({ max: 35, description: 'BCP 47 tag.', example: 'en' }),
    level: choice(['beginner', 'intermediate', 'advanced'], { description: 'For whom.', example: 'advanced' }),
    state: choice(['pending', 'accepted', 'confirmed', 'rejected', 'withdrawn'], {
      default: 'pending',
      description: 'Stage of the review.',
      example: 'accepted',
    }),
    'starts-at': instant({ description: 'Beginning.', example: '2027-05-08T09:00:00.000Z' }),
    'ends-at': instant({ description: 'End, after the beginning.', example: '2027-05-08T09:45:00.000Z' }),
    'slides-url': link({ description: 'Slides.', example: 'https://slides.example.org/rows' }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    track: toOne('tracks', 'track_id'),
    microlocation: toOne('microlocations', 'microlocation_id'),
    'session-type': toOne('session-types', 'session_type_id'),
    speakers: through('speakers', {
      table: 'sessions_speakers',
      here: 'session_id',
      there: 'speaker_id',
      writable: true,
    }),
  },
  check: (row) =>
    row['starts_at'] && row['ends_at'] && (row['ends_at'] as Date) <= (row['starts_at'] as Date)
      ? { attribute: 'ends-at', detail: 'Expected `ends-at` to be after `starts-at`' }
      : undefined,
  migrations: {
    '2026_11_21_040_sessions': [
      createTable(
        'sessions',
        `event_id integer not null references events on delete cascade,
         track_id integer references tracks on delete set null,
         microlocation_id integer references microlocations on delete set null,
         session_type_id integer references session_types on delete set null,
         title text not null,
         subtitle text,
         abstract text,
         language text,
         level text,
         state text not null default 'pending',
         starts_at timestamptz,
         ends_at timestamptz,
         slides_url text`,
        {
          trash: true,
          indexes: ['event_id', 'track_id', 'microlocation_id', 'session_type_id'].map((column) =>
            referenceIndex('sessions', column),
          ),
        },
      ),
      `create table sessions_speakers (
         session_id integer not null references sessions on delete cascade,
         speaker_id integer not null references speakers on delete cascade,
         primary key (session_id, speaker_id)
       )`,
      'create index sessions_speakers_speaker on sessions_speakers (speaker_id)',
    ].join(';\n'),
  },
})
