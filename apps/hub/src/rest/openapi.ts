import { HUB_VERSION } from '../version.ts'
import type { Operation, Resource } from './call.ts'

/** The OpenAPI 3.1 document of the API, made from the same declarations that answer the calls. */
export function openApiDocument(base: string, resources: readonly Resource[]): Record<string, unknown> {
  const paths = resources.map(({ path, operations }) => [
    path.replace(/:(\w+)/g, '{$1}'),
    {
      parameters: [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...Object.fromEntries(Object.entries(operations).map(([verb, operation]) => [verb, describe(operation)])),
    },
  ])
  return {
    openapi: '3.1.0',
    info: { title: 'Hub', version: HUB_VERSION, description: "JupyterHub's REST API" },
    servers: [{ url: base }],
    security: [{ token: [] }],
    components: {
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'Authorization', description: '`token T` or `Bearer T`' },
      },
    },
    paths: Object.fromEntries(paths),
  }
}

function describe(operation: Operation): Record<string, unknown> {
  const answers = { 403: 'No token, or not allowed', 404: 'Not there, or out of reach', ...operation.answers }
  const parameters = Object.entries(operation.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }))
  return {
    summary: operation.summary,
    ...(operation.scopes.length === 0 ? {} : { description: `Any of the scopes: ${operation.scopes.join(', ')}` }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.body === undefined
      ? {}
      : {
          requestBody: { content: { 'application/json': { schema: { type: 'object', properties: operation.body } } } },
        }),
    responses: Object.fromEntries(Object.entries(answers).map(([status, description]) => [status, { description }])),
  }
}
