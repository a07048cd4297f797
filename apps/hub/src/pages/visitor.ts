import { RequestError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { requesterByCookie } from '../identity.ts'
import type { Requester } from '../requester.ts'
import { findUser, type User } from '../store/users.ts'
import type { Reader } from './layout.ts'

/** Someone who looks at a page and is logged in. */
export interface Visitor {
  readonly user: User
  readonly requester: Requester
  readonly reader: Reader
}

/** Who looks at a page, `undefined` when nobody is logged in. */
export async function visitorOf(hub: Hub, request: Request): Promise<Visitor | undefined> {
  const mode = request.headers.get('sec-fetch-mode')
  // A script of some user's server lies on the same origin: it may lead to a page, but not read one.
  if (request.method === 'GET' && mode !== null && mode !== 'navigate') return undefined
  const requester = await requesterByCookie(hub, request)
  if (requester === undefined || requester.owner.kind !== 'user') return undefined
  const proof = hub.forms.proof(requester.sessionId ?? '')
  const admin = requester.scopes.has('admin-ui')
  return { user: requester.owner.user, requester, reader: { name: requester.name, admin, proof } }
}

/** Sends somebody to the login page and back afterwards. */
export function toLogin(hub: Hub, request: Request): Response {
  const { pathname, search } = new URL(request.url)
  const next = encodeURIComponent(request.method === 'GET' ? `${pathname}${search}` : `${hub.config.base_url}hub/home`)
  return redirect(`${hub.config.base_url}hub/login?next=${next}`)
}

/** Sends a browser elsewhere. */
export function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } })
}

/**
 * The user whose server a page is about.
 *
 * @throws {@link RequestError} 404 when he does not exist, or the visitor may not touch his servers.
 */
export async function ownerOf(hub: Hub, visitor: Visitor, name: string, server: string, scope: string): Promise<User> {
  const user = await findUser(hub.db, name)
  const target = { user: name, server, groups: await hub.groupsOf(name) }
  if (user === undefined || !visitor.requester.scopes.allows(scope, target)) {
    throw new RequestError(404, 'There is no such server, or it is not yours')
  }
  return user
}
