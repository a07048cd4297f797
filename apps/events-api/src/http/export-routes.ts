import { requireActor, requireLevel } from '../access.ts'
import { problem } from '../jsonapi/errors.ts'
import { parseId } from '../jsonapi/id.ts'
import { type Registry, resourceOf } from '../resources/registry.ts'
import type { Operation } from './operation.ts'

/** Downloads of finished exports. */
export function exportOperations(registry: Registry): Operation[] {
  const exports = resourceOf(registry, 'exports')
  return [
    {
      id: 'downloadExport',
      name: ['Exports', 'Export File', 'Download an Export'],
      method: 'get',
      path: '/v1/exports/{id}/file',
      summary: 'Downloads a finished export',
      session: 'required',
      jsonapi: false,
      parameters: [],
      responses: {
        200: { description: 'A zip of JSON:API documents and an iCalendar file.', mediaType: 'application/zip' },
      },
      errors: [401, 403, 404],
      handle: async ({ params, actor, service }) => {
        requireActor(actor)
        const id = parseId(params['id'] ?? '')
        const row =
          id === undefined
            ? undefined
            : await service.db
                .selectFrom('exports')
                .select(['id', 'event_id', 'owner_id', 'file'])
                .where('id', '=', id)
                .executeTakeFirst()
        if (row === undefined) throw problem('not_found', 'Expected the id of an export')
        requireLevel(actor, exports.access.read, exports, row)
        if (row['file'] === null) throw problem('not_found', 'Expected an export that is ready; its task tells when')
        return new Response(new Uint8Array(row['file'] as Buffer), {
          headers: {
            'content-type': 'application/zip',
            'content-disposition': `attachment; filename="event-${String(row['event_id'])}.zip"`,
            'cache-control': 'private, no-store',
          },
        })
      },
    },
  ]
}
