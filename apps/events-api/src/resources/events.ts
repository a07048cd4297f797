import { choice, flag, instant, link, number, text } from './attributes.ts'
import { defineResource, toMany, toOne } from './resource.ts'
import { createTable, liveUnique } from './table.ts'

export const events = defineResource({
  type: 'events',
  singular: 'event',
  description: 'A conference, a meetup, anything with a beginning and an end.',
  table: 'events',
  softDelete: true,
  eventColumn: 'id',
  signal: 'event',
  search: { table: 'event_search', column: 'event_id' },
  access: { read: 'anyone', create: 'member', update: 'organiser', remove: 'organiser' },
  attributes: {
    name: text({ required: true, max: 200, description: 'Name of the event.', example: 'FOSS Summit Lisbon' }),
    identifier: text({
      required: true,
      max: 64,
      format: 'slug',
      description: 'Name in addresses; unique among live events.',
      example: 'foss-summit-lisbon',
    }),
    description: text({ max: 20_000, description: 'What it is about.', example: 'Two days of open source.' }),
    'starts-at': instant({ required: true, description: 'Beginning.', example: '2027-05-08T08:00:00.000Z' }),
    'ends-at': instant({
      required: true,
      description: 'End, after the beginning.',
      example: '2027-05-09T17:00:00.000Z',
    }),
    timezone: text({
      required: true,
      max: 64,
      format: 'timezone',
      description: 'IANA name of the time zone of the place.',
      example: 'Europe/Lisbon',
    }),
    'location-name': text({ description: 'Name of the venue.', example: 'Pavilhão do Conhecimento' }),
    latitude: number({ min: -90, max: 90, description: 'Degrees north.', example: 38.7624 }),
    longitude: number({ min: -180, max: 180, description: 'Degrees east.', example: -9.0956 }),
    'is-event-online': flag({ description: 'Takes place online.', example: false }),
    state: choice(['draft', 'published'], {
      default: 'draft',
      description: 'Stage of the work.',
      example: 'published',
    }),
    'website-url': link({ description: 'Site of the event.', example: 'https://summit.example.org' }),
    'original-image-url': link({ description: 'Picture as uploaded.', example: 'https://summit.example.org/logo.png' }),
  },
  relationships: {
    sessions: toMany('sessions', 'event'),
    speakers: toMany('speakers', 'event'),
    tracks: toMany('tracks', 'event'),
    microlocations: toMany('microlocations', 'event'),
    'session-types': toMany('session-types', 'event'),
    sponsors: toMany('sponsors', 'event'),
    'speakers-calls': toMany('speakers-calls', 'event'),
    roles: toMany('event-roles', 'event'),
    owner: toOne('users', 'owner_id', { set: 'never' }),
  },
  unique: { events_identifier_live: 'identifier' },
  check: (row) =>
    (row['ends_at'] as Date) <= (row['starts_at'] as Date)
      ? { attribute: 'ends-at', detail: 'Expected `ends-at` to be after `starts-at`' }
      : undefined,
  afterCreate: async (tx, row, actor) => {
    await tx.insertInto('event_roles').values({ event_id: row['id'], user_id: actor.id, role: 'owner' }).execute()
    return undefined
  },
  migrations: {
    '2026_11_21_020_events': createTable(
      'events',
      `name text not null,
       identifier text not null,
       description text,
       starts_at timestamptz not null,
       ends_at timestamptz not null check (ends_at > starts_at),
       timezone text not null,
       location_name text,
       latitude double precision,
       longitude double precision,
       is_event_online boolean not null default false,
       state text not null default 'draft',
       website_url text,
       original_image_url text,
       owner_id integer references users on delete set null`,
      { trash: true, indexes: [liveUnique('events', 'events_identifier_live', 'identifier')] },
    ),
  },
})
