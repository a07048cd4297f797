import { sql } from 'kysely'

import { openApiDocument } from '../openapi/document.ts'
import { docsAsset, docsPage } from '../openapi/page.ts'
import type { Operation } from './operation.ts'

const plain = { jsonapi: false, session: 'none', parameters: [], errors: [], method: 'get' } as const

/** Operations about the service itself. */
export function serviceOperations(): Operation[] {
  // Writing it takes longer than most requests, and anybody may ask; it does not change.
  let description: string | undefined
  return [
    {
      ...plain,
      id: 'ping',
      name: ['Service', 'Ping', 'Ping the Service'],
      path: '/ping',
      summary: 'Answers while the process lives',
      responses: { 200: jsonAnswer('Pong.', { msg: { const: 'pong' } }) },
      handle: () => Promise.resolve(Response.json({ msg: 'pong' })),
    },
    {
      ...plain,
      id: 'ready',
      name: ['Service', 'Readiness', 'Check Readiness'],
      path: '/ready',
      summary: 'Answers 200 when the database answers',
      responses: {
        200: jsonAnswer('Ready.', { ready: { const: true } }),
        503: jsonAnswer('Not ready, or shutting down.', { ready: { const: false } }),
      },
      handle: async ({ service }) => {
        const ready = !service.draining() && (await answers(service.db))
        return Response.json({ ready }, { status: ready ? 200 : 503, headers: { 'cache-control': 'no-store' } })
      },
    },
    {
      ...plain,
      id: 'metrics',
      name: ['Service', 'Metrics', 'Read Metrics'],
      path: '/metrics',
      summary: 'Figures for Prometheus',
      responses: { 200: { description: 'Text format.', mediaType: 'text/plain', schema: { type: 'string' } } },
      handle: async ({ service }) =>
        new Response(await service.metrics.text(), { headers: { 'content-type': service.metrics.contentType } }),
    },
    {
      ...plain,
      id: 'openapi',
      name: ['Service', 'Description', 'Read the OpenAPI Document'],
      path: '/openapi.json',
      summary: 'This description',
      responses: { 200: { description: 'OpenAPI 3.1.', mediaType: 'application/json', schema: { type: 'object' } } },
      handle: ({ service }) => {
        description ??= JSON.stringify(openApiDocument(service.operations, service.registry))
        return Promise.resolve(new Response(description, { headers: { 'content-type': 'application/json' } }))
      },
    },
    {
      ...plain,
      id: 'docs',
      name: ['Service', 'Documentation', 'Open the Documentation'],
      path: '/docs',
      summary: 'Interactive page over this description',
      responses: { 200: { description: 'A page.', mediaType: 'text/html', schema: { type: 'string' } } },
      handle: () => Promise.resolve(docsPage()),
    },
    {
      ...plain,
      id: 'docsAsset',
      name: ['Service', 'Documentation', 'Load a Part of the Documentation'],
      path: '/docs/{name}',
      summary: 'Script and style of the page',
      responses: {
        200: { description: 'Script or style.' },
        404: { description: 'No such part.' },
      },
      handle: ({ params }) => docsAsset(params['name'] ?? ''),
    },
  ]
}

function jsonAnswer(description: string, properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>) {
  const schema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
  return { description, mediaType: 'application/json', schema }
}

async function answers(db: Parameters<Operation['handle']>[0]['service']['db']): Promise<boolean> {
  try {
    await sql`select 1`.execute(db)
    return true
  } catch {
    return false
  }
}
