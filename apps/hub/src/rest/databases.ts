import { RequestError } from '../errors.ts'
import { bodyMap, type Call, empty, json, namedUser, type Resource } from './call.ts'

async function create(call: Call): Promise<Response> {
  const user = await namedUser(call)
  const { name } = bodyMap(call)
  if (typeof name !== 'string') throw new RequestError(400, 'Expected a name')
  return json(await call.hub.databases.create(user, name), 201)
}

/** Personal databases; not part of JupyterHub's API. */
export const databaseResources: readonly Resource[] = [
  {
    path: '/users/:name/databases',
    operations: {
      get: {
        summary: "List a user's databases",
        scopes: ['read:servers'],
        answers: { 200: 'The databases', 503: 'No container engine' },
        handle: async (call) => json(await call.hub.databases.list(await namedUser(call))),
      },
      post: {
        summary: 'Make a database; its password is shown this once',
        scopes: ['servers'],
        body: { name: { type: 'string', description: 'lower-case letters, digits, - and _' } },
        answers: {
          201: 'Address and password',
          400: 'Bad name, or too many',
          409: 'Exists',
          503: 'No container engine',
        },
        handle: create,
      },
    },
  },
  {
    path: '/users/:name/databases/:database',
    operations: {
      get: {
        summary: 'Read a database',
        scopes: ['read:servers'],
        answers: { 200: 'The database' },
        handle: async (call) =>
          json(await call.hub.databases.get(await namedUser(call), call.params['database'] ?? '')),
      },
      delete: {
        summary: 'Delete a database with its data',
        scopes: ['delete:servers'],
        answers: { 204: 'Deleted' },
        handle: async (call) => {
          await call.hub.databases.remove(await namedUser(call), call.params['database'] ?? '')
          return empty(204)
        },
      },
    },
  },
  ...(['start', 'stop'] as const).map((verb): Resource => ({
    path: `/users/:name/databases/:database/${verb}`,
    operations: {
      post: {
        summary: `${verb === 'start' ? 'Start' : 'Stop'} a database`,
        scopes: ['servers'],
        answers: { 204: 'Done' },
        handle: async (call) => {
          await call.hub.databases[verb](await namedUser(call), call.params['database'] ?? '')
          return empty(204)
        },
      },
    },
  })),
]
