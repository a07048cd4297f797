import type { Hub } from './hub.ts'
import { expandScopes, identityScopes, type ScopeOwner } from './permissions/definitions.ts'
import { ScopeSet } from './permissions/scope-set.ts'
import type { Requester } from './requester.ts'
import { findGroup } from './store/groups.ts'
import { serviceScopes, userScopes } from './store/roles.ts'
import { serviceById } from './store/services.ts'
import { type ApiToken, hashToken, isExpired, tokenByHash } from './store/tokens.ts'
import { createUsers, findUser, type User, userById } from './store/users.ts'

/** The token of an `Authorization` header: `token T` or `Bearer T`. Never from the address, which ends up in logs. */
export function presentedToken(request: Request): string | undefined {
  return /^(?:token|bearer)\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}

/** Finds out who makes a call by its token; `undefined` without a valid one. `mark` is that of the call's begin. */
export async function requesterByToken(
  hub: Hub,
  presented: string,
  mark: string | undefined = hub.mark(),
): Promise<Requester | undefined> {
  const now = hub.now()
  const hashed = hashToken(presented)
  const requester = await hub.requesters.get(mark, hashed, () => readRequester(hub, hashed))
  if (requester?.token === undefined || isExpired(requester.token, now)) return undefined
  hub.uses.note(requester.token, now)
  return requester
}

async function readRequester(hub: Hub, hashed: string): Promise<Requester | undefined> {
  const token = await tokenByHash(hub.db, hashed)
  if (token === undefined) return undefined
  const sessionId = token.session_id
  if (token.user_id !== null) {
    const user = await userById(hub.db, token.user_id)
    if (user === undefined) return undefined
    const scopes = await tokenScopes(hub, token, { kind: 'user', name: user.name }, () => userScopes(hub.db, user.id))
    return { owner: { kind: 'user', user }, name: user.name, scopes, token, sessionId }
  }
  const service = token.service_id === null ? undefined : await serviceById(hub.db, token.service_id)
  if (service === undefined) return undefined
  const owner = { kind: 'service', name: service.name } as const
  const scopes = await tokenScopes(hub, token, owner, () => serviceScopes(hub.db, service.id))
  return { owner: { kind: 'service', service }, name: service.name, scopes, token, sessionId }
}

/** Finds out who a browser belongs to; the user row is made at the first visit. */
export async function requesterByCookie(hub: Hub, request: Request): Promise<Requester | undefined> {
  const session = await hub.accounts.session(request)
  if (session === undefined) return undefined
  const user = (await findUser(hub.db, session.name)) ?? (await firstVisit(hub, session))
  if (user === undefined) return undefined
  const raw = await userScopes(hub.db, user.id)
  const scopes = ScopeSet.of(expandScopes(raw, { kind: 'user', name: user.name }))
  return { owner: { kind: 'user', user }, name: user.name, scopes, sessionId: session.sessionId }
}

/** Makes the user of an account that comes for the first time, perhaps by several requests at once. */
async function firstVisit(
  hub: Hub,
  { name, admin }: { readonly name: string; readonly admin: boolean },
): Promise<User | undefined> {
  try {
    return (await createUsers(hub.db, [name], admin, hub.now()))[0]
  } catch (error) {
    const made = await findUser(hub.db, name)
    if (made === undefined) throw error
    return made
  }
}

/** What a token may do: its own scopes, as far as its owner holds them now. */
export async function tokenScopes(
  hub: Hub,
  token: Pick<ApiToken, 'scopes'>,
  owner: ScopeOwner,
  ownersScopes: () => Promise<string[]>,
): Promise<ScopeSet> {
  const raw = JSON.parse(token.scopes) as string[]
  const held = ScopeSet.of(expandScopes(await ownersScopes(), owner))
  if (raw.includes('inherit')) return held
  const wanted = ScopeSet.of([...expandScopes(raw, owner), ...identityScopes(owner)])
  return wanted.intersect(held, await membersOf(hub, [wanted, held]))
}

/** A look-up of members for every group that the scopes name. */
export async function membersOf(
  hub: Pick<Hub, 'db'>,
  sets: readonly ScopeSet[],
): Promise<(group: string) => ReadonlySet<string>> {
  const members = new Map<string, ReadonlySet<string>>()
  for (const set of sets.filter(({ namesGroups }) => namesGroups)) {
    for (const text of set.toStrings()) {
      const name = /!group=(.*)$/s.exec(text)?.[1]
      if (name === undefined || members.has(name)) continue
      members.set(name, new Set((await findGroup(hub.db, name))?.users))
    }
  }
  return (group) => members.get(group) ?? new Set()
}
