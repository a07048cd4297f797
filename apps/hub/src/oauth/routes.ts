import type { Hono } from 'hono'

import { isHttps } from '../config/config.ts'
import { RequestError } from '../errors.ts'
import { readText } from '../http/body.ts'
import { jsonError } from '../http/errors.ts'
import type { Hub } from '../hub.ts'
import { requesterByCookie } from '../identity.ts'
import { sameSecret } from '../same-secret.ts'
import { errorPage } from '../pages/error-page.ts'
import { findClient, hasLogin, insertCode, takeCode } from '../store/oauth.ts'
import { findToken, generateToken, insertToken } from '../store/tokens.ts'
import { userById } from '../store/users.ts'
import { askConsent } from './consent.ts'

/** Name of the cookie by which servers tell that a browser's login has changed. */
export const SESSION_COOKIE = 'jupyterhub-session-id'

/** How long a browser's login at a server lasts, in seconds: 14 days, as JupyterHub's cookie. */
const LOGIN_LIFE_SECONDS = 14 * 86_400

/** Mounts the OAuth provider through which browsers log in to single-user servers. */
export function mountOAuth(app: Hono, hub: Hub, base: string): void {
  app.get(`${base}/authorize`, async ({ req }) => {
    try {
      return await authorize(hub, req.raw, new URL(req.url))
    } catch (error) {
      return errorPage(hub, req.raw, error)
    }
  })
  app.post(`${base}/authorize`, async ({ req }) => {
    try {
      // Before anything is looked at: a body comes as slowly as its sender likes.
      const posted = await readText(req.raw)
      return await authorize(hub, req.raw, new URL(req.url), posted)
    } catch (error) {
      return errorPage(hub, req.raw, error)
    }
  })
  app.post(`${base}/token`, async ({ req }) => {
    try {
      return await exchange(hub, req.raw)
    } catch (error) {
      return jsonError(hub, error)
    }
  })
}

/**
 * Sends a logged-in browser back to its server with a code.
 *
 * Nothing is asked of a server's owner. Whoever opens the server of somebody else is asked once for each of its runs.
 */
async function authorize(hub: Hub, request: Request, url: URL, posted?: string): Promise<Response> {
  const query = (name: string) => url.searchParams.get(name) ?? ''
  const client = await findClient(hub.db, query('client_id'))
  // Without a known client and its own return address there is nowhere safe to send an error to.
  if (client === undefined) throw new RequestError(400, 'This server is not known to the hub; start it again')
  const redirectUri = query('redirect_uri') === '' ? client.redirect_uri : query('redirect_uri')
  if (!isOwnAddress(hub, url, redirectUri, client.redirect_uri)) {
    throw new RequestError(400, 'The return address is not that of the server')
  }
  if (query('response_type') !== 'code') throw new RequestError(400, 'Expected response_type=code')
  const challenge = url.searchParams.get('code_challenge') ?? undefined
  if (challenge !== undefined && query('code_challenge_method') !== 'S256') {
    throw new RequestError(400, 'Expected code_challenge_method=S256')
  }
  const requester = await requesterByCookie(hub, request)
  if (requester === undefined || requester.owner.kind !== 'user') {
    const next = encodeURIComponent(`${url.pathname}${url.search}`)
    return new Response(null, { status: 302, headers: { location: `${hub.config.base_url}hub/login?next=${next}` } })
  }
  const { user: owner, name: server } = client.server
  const groups = await hub.groupsOf(owner)
  if (!requester.scopes.allows('access:servers', { user: owner, server, groups })) {
    throw new RequestError(403, `You may not use the server of ${owner}`)
  }
  const { name, id } = requester.owner.user
  if (posted !== undefined) hub.forms.check(posted, requester.sessionId)
  else if (name !== owner && !(await hasLogin(hub.db, client.identifier, id, hub.now()))) {
    return askConsent(hub, request, url, client.server)
  }
  const sessionId = requester.sessionId ?? ''
  const scopes = [
    `access:servers!server=${owner}/${server}`,
    `read:users:name!user=${name}`,
    `read:users:groups!user=${name}`,
  ]
  const grant = { clientId: client.identifier, redirectUri, sessionId, userId: id, scopes }
  const code = await insertCode(hub.db, challenge === undefined ? grant : { ...grant, challenge }, hub.now())
  const back = new URL(redirectUri, url)
  back.searchParams.set('code', code)
  if (url.searchParams.has('state')) back.searchParams.set('state', query('state'))
  const location = redirectUri.startsWith('/') ? `${back.pathname}${back.search}` : back.href
  const headers = new Headers({ location, 'cache-control': 'no-store' })
  const secure = isHttps(hub.config) ? '; Secure' : ''
  const reach = `Path=${hub.config.base_url}; HttpOnly; SameSite=Lax${secure}`
  headers.append('set-cookie', `${SESSION_COOKIE}=${sessionId}; ${reach}`)
  return new Response(null, { status: 302, headers })
}

/** A return address is a path of the server, or the same path on the origin that the browser uses. */
function isOwnAddress(hub: Hub, url: URL, given: string, registered: string): boolean {
  if (given === registered) return true
  if (!URL.canParse(given)) return false
  const address = new URL(given)
  const known = hub.config.public_url === undefined ? url.host : new URL(hub.config.public_url).host
  return /^https?:$/.test(address.protocol) && address.host === known && address.pathname === registered
}

/** Gives a server the token of the browser that brought the code. */
async function exchange(hub: Hub, request: Request): Promise<Response> {
  const form = new URLSearchParams(await readText(request))
  const [clientId, secret] = clientCredentials(request, form)
  if (form.get('grant_type') !== 'authorization_code') return refuse('unsupported_grant_type')
  const now = hub.now()
  const client = await findClient(hub.db, clientId)
  // The secret is the token of the server itself, so it dies with the server.
  const token = await findToken(hub.db, secret, now)
  const owner = token === undefined || token.user_id === null ? undefined : await userById(hub.db, token.user_id)
  const belongs = client !== undefined && token?.note === `Server at ${serverPath(hub, client.server)}`
  if (!belongs || owner === undefined || !sameSecret(owner.name, client.server.user))
    return refuse('invalid_client', 401)
  const grant = await takeCode(
    hub.db,
    { code: form.get('code') ?? '', clientId, verifier: form.get('code_verifier') ?? undefined },
    now,
  )
  const redirectUri = form.get('redirect_uri')
  if (grant === undefined || (redirectUri !== null && redirectUri !== grant.redirectUri)) return refuse('invalid_grant')
  const accessToken = generateToken()
  await insertToken(
    hub.db,
    accessToken,
    {
      userId: grant.userId,
      clientId,
      sessionId: grant.sessionId,
      scopes: grant.scopes,
      expiresAt: new Date(now.getTime() + LOGIN_LIFE_SECONDS * 1000),
    },
    now,
  )
  return Response.json(
    {
      access_token: accessToken,
      expires_in: LOGIN_LIFE_SECONDS,
      token_type: 'Bearer',
      scope: grant.scopes.join(' '),
      refresh_token: null,
    },
    { headers: { 'cache-control': 'no-store' } },
  )
}

function serverPath(hub: Hub, server: { readonly user: string; readonly name: string }): string {
  return hub.servers.table.names({ name: server.user }, server.name).prefix
}

function clientCredentials(request: Request, form: URLSearchParams): [id: string, secret: string] {
  const basic = /^Basic\s+(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  if (basic === undefined) return [form.get('client_id') ?? '', form.get('client_secret') ?? '']
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(/:(.*)/s)
  try {
    return [decodeURIComponent(id), decodeURIComponent(secret)]
  } catch {
    // What cannot be read is nobody's.
    return ['', '']
  }
}

function refuse(error: string, status = 400): Response {
  return Response.json({ error }, { status, headers: { 'cache-control': 'no-store' } })
}
