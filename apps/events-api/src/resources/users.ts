import { flag, link, text } from './attributes.ts'
import { defineResource, toMany } from './resource.ts'
import { createTable } from './table.ts'

/**
 * People. Their passwords and sessions are native-auth's; a row here has the number of the account there.
 *
 * Created by `POST /users/register`, not here.
 */
export const users = defineResource({
  type: 'users',
  singular: 'user',
  description: 'Somebody with an account. A trashed user cannot sign in.',
  table: 'users',
  softDelete: true,
  ownerColumn: 'id',
  signal: 'user',
  keep: (row) => (row['is_admin'] === true ? 'Expected a user who is no administrator' : undefined),
  access: { read: 'owner', create: 'nobody', update: 'owner', remove: 'owner' },
  attributes: {
    username: text({ set: 'never', max: 64, description: 'Name to sign in with.', example: 'organiser' }),
    fullname: text({ required: true, description: 'Name for people.', example: 'Olga Organiser' }),
    email: text({ max: 254, format: 'email', description: 'Where mail goes.', example: 'olga@example.org' }),
    details: text({ max: 5000, description: 'About this person.', example: 'Runs conferences.' }),
    'avatar-url': link({ description: 'Picture.', example: 'https://people.example.org/olga.png' }),
    'is-admin': flag({ set: 'never', description: 'Administrator of the service.', example: false }),
  },
  relationships: { 'event-roles': toMany('event-roles', 'user') },
  migrations: {
    '2026_11_21_010_users': createTable(
      'users',
      `username text not null,
       fullname text not null,
       email text,
       details text,
       avatar_url text,
       is_admin boolean not null default false`,
      { trash: true },
    ),
  },
})
