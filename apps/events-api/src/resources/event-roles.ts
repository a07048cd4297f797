import { choice } from './attributes.ts'
import { defineResource, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

/** Hard deletion: a link table, and a role taken away must not come back by a restore. */
export const eventRoles = defineResource({
  type: 'event-roles',
  singular: 'event role',
  description: 'Makes a user an organiser of an event.',
  table: 'event_roles',
  softDelete: false,
  eventColumn: 'event_id',
  ownerColumn: 'user_id',
  access: { read: 'owner', create: 'organiser', update: 'organiser', remove: 'organiser' },
  attributes: {
    role: choice(['owner', 'organiser', 'coorganiser'], {
      required: true,
      description: 'All three may change the event; the word is for people.',
      example: 'coorganiser',
    }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    user: toOne('users', 'user_id', { required: true, set: 'once' }),
  },
  unique: { event_roles_event_id_user_id_key: 'role' },
  migrations: {
    '2026_11_21_050_event_roles': createTable(
      'event_roles',
      `event_id integer not null references events on delete cascade,
       user_id integer not null references users on delete cascade,
       role text not null,
       unique (event_id, user_id)`,
      { trash: false, indexes: [referenceIndex('event_roles', 'user_id', false)] },
    ),
  },
})
