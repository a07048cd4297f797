import type { Schema } from '../resources/attributes.ts'
import type { Operation } from './operation.ts'

const text: Schema = { type: 'string' }
const object = (properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)): Schema => ({
  type: 'object',
  properties,
  required,
})
const json = (description: string, schema: Schema) => ({ description, mediaType: 'application/json', schema })

const failure = json('What was wrong.', { type: 'object' })
const foreign = json('The request comes from a page of another site.', { type: 'object' })
const tooLarge = json('A body of more than 16 KiB.', { type: 'object' })
const tooMany = {
  ...json('Too many attempts from this address.', { type: 'object' }),
  headers: { 'Retry-After': 'Seconds until the next attempt may succeed.' },
}
const person = object({ id: { type: 'integer' }, username: text, fullname: text })

/** Descriptions of what native-auth answers at the root; its own handler does the work. */
export function accountOperations(): Operation[] {
  const base = {
    jsonapi: false,
    session: 'none',
    method: 'post',
    parameters: [],
    errors: [],
    handle: ({ request, service, clientIp }) => service.accounts.handler(request, { clientIp }),
  } as const satisfies Partial<Operation>
  const body = (schema: Schema, example: unknown) => ({ mediaType: 'application/json', schema, example })
  return [
    {
      ...base,
      id: 'register',
      name: ['Accounts', 'Registration', 'Register a User'],
      path: '/users/register',
      summary: 'Creates an account',
      body: body(object({ username: text, password: text, fullname: text }), {
        username: 'grace',
        password: 'correct horse battery',
        fullname: 'Grace Gomes',
      }),
      responses: {
        201: json('The new account.', person),
        403: foreign,
        409: failure,
        413: tooLarge,
        422: json('Which fields, and why.', object({ detail: { type: 'array', items: { type: 'object' } } })),
        429: tooMany,
      },
    },
    {
      ...base,
      id: 'login',
      name: ['Accounts', 'Session', 'Sign in'],
      path: '/login',
      summary: 'Opens a session: a token, and a cookie for browsers',
      body: body(object({ username: text, password: text }), {
        username: 'organiser',
        password: 'correct horse battery',
      }),
      responses: {
        200: json('The session.', object({ token: text })),
        401: failure,
        403: foreign,
        413: tooLarge,
        422: failure,
        429: tooMany,
      },
    },
    {
      ...base,
      id: 'logout',
      name: ['Accounts', 'Session', 'Sign out'],
      path: '/logout',
      summary: 'Ends the session',
      session: 'required',
      responses: { 204: { description: 'Ended.' }, 403: foreign, 413: tooLarge },
    },
    {
      ...base,
      id: 'me',
      name: ['Accounts', 'Session', 'Read My Account'],
      method: 'get',
      path: '/me',
      summary: 'Who is signed in',
      session: 'required',
      responses: { 200: json('The account.', { type: 'object' }), 401: failure },
    },
  ]
}
