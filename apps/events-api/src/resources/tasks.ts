import { choice, instant, text } from './attributes.ts'
import { defineResource, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

/** The public side of a background job; the queue itself is task-context's. */
export const tasks = defineResource({
  type: 'tasks',
  singular: 'task',
  description: 'State and result of a background job that a request started.',
  table: 'tasks',
  softDelete: false,
  ownerColumn: 'owner_id',
  access: { read: 'owner', create: 'nobody', update: 'nobody', remove: 'nobody' },
  attributes: {
    name: text({ set: 'never', description: 'Kind of job.', example: 'event.export' }),
    state: choice(['waiting', 'done', 'failed'], {
      set: 'never',
      default: 'waiting',
      description: 'Stage.',
      example: 'done',
    }),
    result: text({
      set: 'never',
      query: false,
      max: 2000,
      description: 'What it made.',
      example: '/v1/exports/1/file',
    }),
    error: text({ set: 'never', query: false, max: 2000, description: 'Why it failed.', example: 'The event is gone' }),
    'finished-at': instant({ set: 'never', description: 'When it ended.', example: '2027-05-08T09:00:00.000Z' }),
  },
  relationships: { owner: toOne('users', 'owner_id', { set: 'never' }) },
  migrations: {
    '2026_11_21_060_tasks': createTable(
      'tasks',
      `owner_id integer references users on delete set null,
       name text not null,
       state text not null default 'waiting',
       result text,
       error text,
       finished_at timestamptz`,
      { trash: false, indexes: [referenceIndex('tasks', 'owner_id', false)] },
    ),
  },
})
