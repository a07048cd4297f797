import { codesOf } from '../jsonapi/errors.ts'
import { MEDIA_TYPE } from '../jsonapi/media-type.ts'
import { requestSchema, resourceSchema } from '../jsonapi/schemas.ts'
import { errorDescription } from '../http/answer.ts'
import { ref, title } from '../http/describe.ts'
import { type Description, operationName } from '../http/description.ts'
import type { Schema } from '../resources/attributes.ts'
import type { Registry } from '../resources/registry.ts'

/** An OpenAPI document, as far as its readers here look into it. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: Readonly<Record<string, unknown>>
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
}

/**
 * Writes the description of all operations.
 *
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function openApiDocument(operations: readonly Description[], registry: Registry): OpenApiDocument {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const path = operation.path.replace('+}', '}')
    paths[path] ??= {}
    paths[path][operation.method] = describe(operation)
  }
  const groups = [...new Set(operations.map((operation) => operation.name[0]))]
  const described = new Map([...registry.values()].map((resource) => [title(resource.type), resource.description]))
  return {
    openapi: '3.1.0',
    info: {
      title: 'Events API',
      version: '1.0.0',
      description: `Conferences, their sessions, speakers and files, as [JSON:API 1.1](https://jsonapi.org/format/1.1/).

Sign in with \`POST /login\` and send the token as \`Authorization: Bearer …\`, or keep the cookie. What is deleted goes into the trash: readers get 404, organisers find it with \`with_trashed=true\` and bring it back with \`POST …/restore\`.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: groups.map((name) => {
      const description = described.get(name)
      return description === undefined ? { name } : { name, description }
    }),
    paths,
    components: {
      schemas: schemas(registry),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'Token that `POST /login` answers with.' },
      },
    },
  }
}

function describe(operation: Description) {
  const names = [...operation.path.matchAll(/\{(\w+)\+?\}/g)].map((match) => match[1] ?? '')
  const responses: Record<string, unknown> = {}
  for (const [status, answer] of Object.entries(operation.responses)) {
    responses[status] = {
      description: answer.description,
      ...(answer.headers && {
        headers: Object.fromEntries(
          Object.entries(answer.headers).map(([name, description]) => [
            name,
            { description, schema: { type: 'string' } },
          ]),
        ),
      }),
      ...(answer.mediaType !== undefined && { content: { [answer.mediaType]: { schema: answer.schema ?? {} } } }),
    }
  }
  for (const status of operation.errors) responses[status] = errorAnswer(errorDescription(status), status)
  responses['default'] = otherwise(operation)
  return {
    operationId: operation.id,
    tags: [operation.name[0]],
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    'x-name': operationName(operation),
    ...(operation.session === 'required' && { security: [{ bearer: [] }] }),
    ...(operation.session === 'optional' && { security: [{}, { bearer: [] }] }),
    parameters: [
      ...names.map((name) => ({
        name,
        in: 'path',
        required: true,
        description: name === 'id' ? 'Id of the resource.' : 'Part of the address.',
        schema: { type: 'string' },
        example: '1',
      })),
      ...operation.parameters.map(({ example, ...parameter }) => ({
        ...parameter,
        in: 'query',
        ...(example !== undefined && { examples: { typical: { value: example } } }),
      })),
    ],
    ...(operation.body && {
      requestBody: {
        required: true,
        content: {
          [operation.body.mediaType]: {
            schema: operation.body.schema,
            ...(operation.body.example !== undefined && { example: operation.body.example }),
          },
        },
      },
    }),
    responses,
  }
}

/** What any operation may answer besides: nobody can provoke these at will. */
function otherwise(operation: Description) {
  const description = 'Too many requests, an error of ours, or a database that does not answer.'
  if (operation.name[0] !== 'Accounts') return errorAnswer(description)
  return { description, content: { 'application/json': { schema: { type: 'object' } } } }
}

function errorAnswer(description: string, status?: number) {
  const codes = status === undefined ? [] : codesOf(status)
  return {
    description: codes.length > 0 ? `${description} (${codes.map((code) => `\`${code}\``).join(', ')})` : description,
    content: { [MEDIA_TYPE]: { schema: ref('errors') } },
  }
}

function schemas(registry: Registry): Record<string, Schema> {
  const shared: Record<string, Schema> = {
    jsonapi: {
      type: 'object',
      properties: { version: { const: '1.1' } },
      required: ['version'],
      additionalProperties: false,
    },
    links: { type: 'object', additionalProperties: { type: ['string', 'null'] } },
    included: { oneOf: [...registry.keys()].map(ref) },
    deleted: {
      type: 'object',
      properties: {
        jsonapi: ref('jsonapi'),
        meta: {
          type: 'object',
          properties: {
            message: { const: 'Object successfully deleted' },
            how: { enum: ['restorably', 'permanently'] },
          },
          required: ['message', 'how'],
          additionalProperties: false,
        },
      },
      required: ['jsonapi', 'meta'],
      additionalProperties: false,
    },
    errors: {
      type: 'object',
      properties: {
        jsonapi: ref('jsonapi'),
        errors: { type: 'array', minItems: 1, items: ref('error') },
        meta: {
          type: 'object',
          properties: { 'request-id': { type: 'string' } },
          required: ['request-id'],
          additionalProperties: false,
        },
      },
      required: ['jsonapi', 'errors', 'meta'],
      additionalProperties: false,
    },
    error: {
      type: 'object',
      properties: {
        status: { type: 'string', pattern: '^[45][0-9][0-9]$' },
        code: { type: 'string' },
        title: { type: 'string' },
        detail: { type: 'string' },
        source: {
          type: 'object',
          properties: { pointer: { type: 'string' }, parameter: { type: 'string' }, header: { type: 'string' } },
          minProperties: 1,
          maxProperties: 1,
          additionalProperties: false,
        },
      },
      required: ['status', 'code', 'title', 'detail'],
      additionalProperties: false,
    },
  }
  for (const resource of registry.values()) {
    const { access, type } = resource
    shared[type] = resourceSchema(resource)
    if (access.create !== 'nobody') shared[`${type}-create`] = requestSchema(resource, 'create')
    if (access.update !== 'nobody') shared[`${type}-update`] = requestSchema(resource, 'update')
  }
  return shared
}
