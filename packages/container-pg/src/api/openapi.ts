const server = {
  type: 'object',
  required: ['name', 'state', 'host', 'port', 'user', 'storage_dir', 'image', 'databases', 'created_at'],
  properties: {
    name: { type: 'string' },
    state: { enum: ['creating', 'running', 'stopped', 'failed', 'lost', 'removing'] },
    host: { const: '127.0.0.1' },
    port: { type: 'integer' },
    user: { type: 'string' },
    storage_dir: { type: 'string' },
    image: { type: 'string' },
    databases: { type: 'array', items: { type: 'string' } },
    created_at: { type: 'string', format: 'date-time' },
  },
}
const order = {
  type: 'object',
  required: ['admin_password'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' },
    storage_dir: { type: 'string', description: 'Below the storage root, absolute or relative to it' },
    admin_password: { type: 'string', minLength: 1, maxLength: 1024, format: 'password' },
    port: { type: 'integer', minimum: 1024, maximum: 65_535 },
    databases: { type: 'array', items: { type: 'string' } },
  },
}
const problem = {
  type: 'object',
  required: ['status', 'code', 'message'],
  properties: {
    status: { const: 'error' },
    code: { type: 'string' },
    message: { type: 'string' },
    remedy: { type: 'string' },
    log: { type: 'array', items: { type: 'string' } },
  },
}

const json = (schema: object) => ({ 'application/json': { schema } })
const answer = (description: string, schema: object) => ({ description, content: json(schema) })
const failure = { default: answer('What went wrong, and what to do', { $ref: '#/components/schemas/Problem' }) }
const one = {
  allOf: [{ type: 'object', properties: { status: { const: 'OK' } } }, { $ref: '#/components/schemas/Server' }],
}
const body = {
  required: true,
  content: {
    ...json({ $ref: '#/components/schemas/Order' }),
    'application/x-www-form-urlencoded': { schema: { $ref: '#/components/schemas/Order' } },
  },
}
const name = { name: 'name', in: 'path', required: true, schema: { type: 'string' } }
const query = (field: string, schema: object, required = false) => ({ name: field, in: 'query', required, schema })

const make = (summary: string) => ({
  post: { summary, requestBody: body, responses: { 200: answer('The server, ready', one), ...failure } },
})
const act = (summary: string) => ({
  post: { summary, parameters: [name], responses: { 200: answer('The server', one), ...failure } },
})

/** Describes the routes of the handler. */
export function openApi(basePath: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'container-pg', version: '1' },
    security: [{ bearer: [] }],
    paths: {
      [`${basePath}/containers/`]: {
        ...make('Make a server; repeated, the same'),
        get: {
          summary: 'All servers',
          responses: {
            200: answer('By name', {
              type: 'object',
              properties: { containers: { type: 'array', items: { $ref: '#/components/schemas/Server' } } },
            }),
            ...failure,
          },
        },
      },
      [`${basePath}/create`]: make('The same, under its name of 2014'),
      [`${basePath}/containers/{name}`]: {
        get: { summary: 'One server', parameters: [name], responses: { 200: answer('The server', one), ...failure } },
        delete: {
          summary: 'Remove a server, its data kept or erased',
          parameters: [name, query('keep_data', { type: 'boolean' }, true)],
          responses: { 204: { description: 'Gone' }, ...failure },
        },
      },
      [`${basePath}/containers/{name}/start`]: act('Start it'),
      [`${basePath}/containers/{name}/stop`]: act('Shut it down; data and port stay its own'),
      [`${basePath}/containers/{name}/logs`]: {
        get: {
          summary: 'What it wrote, as a stream of lines',
          parameters: [name, query('tail', { type: 'integer', minimum: 0 }), query('follow', { type: 'boolean' })],
          responses: {
            200: { description: 'Lines', content: { 'text/plain': { schema: { type: 'string' } } } },
            ...failure,
          },
        },
      },
    },
    components: {
      schemas: { Server: server, Order: order, Problem: problem },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  }
}
