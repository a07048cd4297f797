import { RequestError } from '../errors.ts'
import { membersOf, tokenScopes } from '../identity.ts'
import { ANYBODY, type Requester } from '../requester.ts'
import { expandScopes, isScope, type ScopeOwner } from '../permissions/definitions.ts'
import { ScopeSet } from '../permissions/scope-set.ts'
import { scopesOfRole, userScopes } from '../store/roles.ts'
import { type ApiToken, deleteToken, generateToken, HUB_CLIENT, insertToken, tokensOf } from '../store/tokens.ts'
import { findUser, type User } from '../store/users.ts'
import type { Hub } from '../hub.ts'
import { clientIp } from '../http/client-ip.ts'
import { bodyMap, type Call, empty, groupsFor, json, namedUser, type Resource, textList } from './call.ts'
import { tokenModel } from './models.ts'

async function model(hub: Hub, user: User, token: ApiToken): Promise<Record<string, unknown>> {
  const owner: ScopeOwner = { kind: 'user', name: user.name }
  const scopes = await tokenScopes(hub, token, owner, () => userScopes(hub.db, user.id))
  const client = token.client_id === HUB_CLIENT ? 'JupyterHub' : await clientName(hub, token.client_id)
  return tokenModel(token, user.name, scopes.toStrings(), client)
}

async function clientName(hub: Hub, id: string): Promise<string> {
  const query = hub.db.selectFrom('oauth_clients').select('description').where('identifier', '=', id)
  return (await query.executeTakeFirst())?.description ?? id
}

/** Who asks for a token: the requester, or whoever the name and password in the body belong to. */
async function asker(
  call: Call,
  body: Readonly<Record<string, unknown>>,
): Promise<Pick<Requester, 'name' | 'scopes' | 'owner'>> {
  if (call.requester !== ANYBODY) return call.requester
  const { username, password } = (body['auth'] ?? {}) as { readonly username?: unknown; readonly password?: unknown }
  if (typeof username !== 'string' || typeof password !== 'string') throw new RequestError(403, 'Forbidden')
  const name = await call.hub.accounts.authenticate(username, password, clientIp(call.request))
  const user = name === undefined ? undefined : await findUser(call.hub.db, name)
  if (user === undefined) throw new RequestError(403, 'Forbidden')
  const scopes = ScopeSet.of(expandScopes(await userScopes(call.hub.db, user.id), { kind: 'user', name: user.name }))
  return { owner: { kind: 'user', user }, name: user.name, scopes }
}

async function wantedScopes(hub: Hub, body: Readonly<Record<string, unknown>>): Promise<string[]> {
  const scopes = body['scopes'] === undefined || body['scopes'] === null ? [] : textList(body['scopes'], 'scopes')
  const roles = body['roles'] === undefined || body['roles'] === null ? [] : textList(body['roles'], 'roles')
  const unknown = scopes.filter((scope) => !isScope(scope))
  if (unknown.length > 0) throw new RequestError(400, `Unknown scopes: ${unknown.join(', ')}`)
  for (const role of roles) {
    const granted = await scopesOfRole(hub.db, role)
    if (granted === undefined) throw new RequestError(400, `Unknown role: ${role}`)
    scopes.push(...granted)
  }
  return scopes.length === 0 ? ['inherit'] : [...new Set(scopes)]
}

/** Longest life that can be asked for, in seconds: a hundred years. */
const MAX_LIFE_SECONDS = 100 * 365 * 86_400

function expiry(body: Readonly<Record<string, unknown>>, now: Date): Date | undefined {
  const seconds = body['expires_in']
  if (seconds === undefined || seconds === null || seconds === 0) return undefined
  if (typeof seconds !== 'number' || !(seconds > 0) || seconds > MAX_LIFE_SECONDS) {
    throw new RequestError(400, 'expires_in must be a positive number of seconds')
  }
  return new Date(now.getTime() + seconds * 1000)
}

/**
 * Makes a token for a user, within his rights.
 *
 * @throws {@link RequestError} 400 for unknown scopes and for those that the user does not hold himself.
 */
export async function issueToken(
  hub: Pick<Hub, 'db' | 'now'>,
  user: User,
  options: { readonly note: string; readonly scopes: readonly string[]; readonly expiresAt?: Date | undefined },
): Promise<{ readonly token: string; readonly row: ApiToken }> {
  const owner: ScopeOwner = { kind: 'user', name: user.name }
  const wanted = ScopeSet.of(expandScopes(options.scopes, owner))
  const held = ScopeSet.of(expandScopes(await userScopes(hub.db, user.id), owner))
  const members = await membersOf(hub, [wanted, held])
  if (!options.scopes.includes('inherit') && !wanted.isWithin(held, members)) {
    const kept = new Set(wanted.intersect(held, members).toStrings())
    const excess = wanted.toStrings().filter((scope) => !kept.has(scope))
    throw new RequestError(400, `Not assigning requested scopes ${excess.join(',')} not held by User ${user.name}`)
  }
  const token = generateToken()
  const { note, expiresAt } = options
  const stored = { userId: user.id, note, scopes: options.scopes, ...(expiresAt === undefined ? {} : { expiresAt }) }
  return { token, row: await insertToken(hub.db, token, stored, hub.now()) }
}

async function create(call: Call): Promise<Response> {
  const { hub } = call
  const body = bodyMap(call)
  const by = await asker(call, body)
  const name = call.params['name'] ?? ''
  const user = await findUser(hub.db, name)
  const kind = by.owner.kind === 'user' ? 'User' : 'Service'
  const target = { user: name, groups: await groupsFor(call, name) }
  if (user === undefined || !by.scopes.allows('tokens', target)) {
    throw new RequestError(403, `${kind} ${name} not found or no permissions to generate tokens`)
  }
  const other = by.name === user.name ? '' : ` by ${kind.toLowerCase()} ${by.name}`
  const note = typeof body['note'] === 'string' && body['note'] !== '' ? body['note'] : `Requested via api${other}`
  const options = {
    note: note.slice(0, 1023),
    scopes: await wantedScopes(hub, body),
    expiresAt: expiry(body, hub.now()),
  }
  const { token, row } = await issueToken(hub, user, options)
  return json({ ...(await model(hub, user, row)), token }, 201)
}

async function namedToken(call: Call, user: User): Promise<ApiToken> {
  const id = /^a(\d{1,15})$/.exec(call.params['id'] ?? '')?.[1]
  const rows = id === undefined ? [] : await tokensOf(call.hub.db, user.id, call.hub.now())
  const token = rows.find((row) => row.id === Number(id))
  if (token === undefined) throw new RequestError(404, `No such token ${call.params['id'] ?? ''} for user ${user.name}`)
  return token
}

/** Tokens of users. */
export const tokenResources: readonly Resource[] = [
  {
    path: '/users/:name/tokens',
    operations: {
      get: {
        summary: "List a user's tokens",
        scopes: ['read:tokens'],
        answers: { 200: 'The tokens, without their text' },
        handle: async (call) => {
          const user = await namedUser(call)
          const rows = await tokensOf(call.hub.db, user.id, call.hub.now())
          return json({ api_tokens: await Promise.all(rows.map((row) => model(call.hub, user, row))) })
        },
      },
      post: {
        summary: 'Make a token; its text is shown this once',
        scopes: [],
        anonymous: true,
        body: {
          note: { type: 'string', description: 'what it is for' },
          expires_in: { type: 'number', description: 'life in seconds' },
          scopes: { type: 'array', description: 'what it may do, at most what its owner may' },
          roles: { type: 'array', description: 'roles whose scopes it gets' },
          auth: { type: 'object', description: '{username, password} instead of a token' },
        },
        answers: { 201: 'The token', 400: 'Unknown or too wide scopes, bad life' },
        handle: create,
      },
    },
  },
  {
    path: '/users/:name/tokens/:id',
    operations: {
      get: {
        summary: 'Read a token',
        scopes: ['read:tokens'],
        answers: { 200: 'The token, without its text' },
        handle: async (call) => {
          const user = await namedUser(call)
          return json(await model(call.hub, user, await namedToken(call, user)))
        },
      },
      delete: {
        summary: 'Revoke a token',
        scopes: ['tokens'],
        answers: { 204: 'Revoked' },
        handle: async (call) => {
          const user = await namedUser(call)
          await deleteToken(call.hub.db, await namedToken(call, user))
          return empty(204, 'text/plain')
        },
      },
    },
  },
]
