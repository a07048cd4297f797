import { exportEvent } from '../jobs/definitions.ts'
import { createTask } from '../jobs/tracking.ts'
import { choice, text } from './attributes.ts'
import { defineResource, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

/**
 * Hard deletion: an export can be made again at any time. Who made one loses it together with the event: it may hold what
 * is in the trash by now.
 */
export const exports = defineResource({
  type: 'exports',
  singular: 'export',
  description: 'An event as a zip of JSON and iCalendar, made by a job.',
  table: 'exports',
  softDelete: false,
  eventColumn: 'event_id',
  access: { read: 'organiser', create: 'organiser', update: 'nobody', remove: 'organiser' },
  attributes: {
    state: choice(['pending', 'ready', 'failed'], {
      set: 'never',
      default: 'pending',
      description: 'Stage.',
      example: 'ready',
    }),
    url: text({
      set: 'never',
      query: false,
      max: 400,
      description: 'Where to get it once ready.',
      example: '/v1/exports/1/file',
    }),
  },
  relationships: {
    event: toOne('events', 'event_id', { required: true, set: 'once' }),
    task: toOne('tasks', 'task_id', { set: 'never' }),
    owner: toOne('users', 'owner_id', { set: 'never' }),
  },
  afterCreate: async (tx, row, actor, enqueue) => {
    const taskId = await createTask(tx, exportEvent.name, actor.id)
    await enqueue(exportEvent, { taskId, exportId: row['id'] as number })
    return tx
      .updateTable('exports')
      .set({ task_id: taskId })
      .where('id', '=', row['id'])
      .returning(Object.keys(row))
      .executeTakeFirstOrThrow()
  },
  migrations: {
    '2026_11_21_080_exports': createTable(
      'exports',
      `event_id integer not null references events on delete cascade,
       owner_id integer references users on delete set null,
       task_id integer references tasks on delete set null,
       state text not null default 'pending',
       url text,
       file bytea`,
      { trash: false, indexes: [referenceIndex('exports', 'event_id', false)] },
    ),
  },
})
