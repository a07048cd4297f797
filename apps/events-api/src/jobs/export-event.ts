import { strToU8, zipSync } from 'fflate'

import { resourceOf } from '../resources/registry.ts'
import type { Registry } from '../resources/registry.ts'
import type { Database, Resource, Row } from '../resources/resource.ts'
import { columnsOf } from '../store/columns.ts'
import { createWriter, jsonapi } from '../jsonapi/document.ts'
import { calendarOf } from './calendar.ts'
import { JobError } from './tracking.ts'

/** Kinds of resources that go into an export, besides the event. */
const parts = ['tracks', 'microlocations', 'session-types', 'speakers', 'sessions', 'sponsors', 'speakers-calls']

/**
 * Packs an event: `event.json` and one file a kind of resource, each a JSON:API document, and `event.ics`.
 *
 * @returns the bytes of the zip.
 * @throws {@link JobError} when the event is gone or in the trash.
 */
export async function packEvent(db: Database, registry: Registry, eventId: number): Promise<Uint8Array> {
  const [event] = await rowsOf(db, resourceOf(registry, 'events'), 'id', eventId)
  if (event === undefined) throw new JobError('The event is gone')
  const files: Record<string, Uint8Array> = {}
  const write = (resource: Resource, rows: readonly Row[], name: string) => {
    const found = { resource, rows, included: new Map(), linkage: new Map() }
    files[name] = strToU8(JSON.stringify({ jsonapi, data: createWriter(found, new Map()).data() }, undefined, 2))
  }
  write(resourceOf(registry, 'events'), [event], 'event.json')
  const read = new Map<string, readonly Row[]>()
  for (const type of parts) {
    const resource = resourceOf(registry, type)
    const rows = await rowsOf(db, resource, 'event_id', eventId)
    read.set(type, rows)
    write(resource, rows, `${type}.json`)
  }
  files['event.ics'] = strToU8(calendarOf(event, read.get('sessions') ?? [], read.get('microlocations') ?? []))
  return zipSync(files)
}

function rowsOf(db: Database, resource: Resource, column: string, id: number): Promise<readonly Row[]> {
  return db
    .selectFrom(resource.table)
    .select([...columnsOf(resource)])
    .where(column, '=', id)
    .orderBy('id')
    .execute()
}
