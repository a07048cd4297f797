import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { sameSecret } from '../same-secret.ts'
import type { Contract } from './contract.ts'

interface Login {
  readonly token: string
  readonly user: string
  checkedAt: number
}

/** How long the hub's word about a login is believed, in milliseconds. */
const BELIEVE_MS = 30_000
/** How long a login may take, in milliseconds. */
const STATE_MS = 600_000
/** Longest address that a login comes back to, in characters: browsers keep cookies up to 4096 bytes. */
const LONGEST_NEXT = 2000

/** Logs browsers in through the hub, and asks the hub about tokens. */
export class Logins {
  readonly #contract: Contract
  readonly #logins = new Map<string, Login>()
  readonly #key = randomBytes(32)

  constructor(contract: Contract) {
    this.#contract = contract
  }

  /** Whose request it is; `undefined` when he may not use this server. */
  async userOf(request: IncomingMessage): Promise<string | undefined> {
    const presented = /^(?:token|bearer)\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (presented !== undefined) return this.#ask(presented)
    const key = readCookie(request, this.#contract.clientId)
    const login = key === undefined ? undefined : this.#logins.get(key)
    if (key === undefined || login === undefined) return undefined
    if (Date.now() - login.checkedAt > BELIEVE_MS) {
      // Logged out at the hub: the token is gone, and with it the login here.
      if ((await this.#ask(login.token)) !== login.user) {
        this.#logins.delete(key)
        return undefined
      }
      login.checkedAt = Date.now()
    }
    return login.user
  }

  /** Sends a browser to the hub, to come back with a code. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { clientId, callbackPath, prefix, hubPath } = this.#contract
    const address = request.method === 'GET' ? (request.url ?? prefix) : prefix
    const next = address.length > LONGEST_NEXT ? prefix : address
    // The browser keeps all of it: strangers may begin as many logins as they like.
    const begun = [
      randomBytes(16).toString('base64url'),
      Date.now() + STATE_MS,
      Buffer.from(next).toString('base64url'),
    ]
    const cookie = begun.join('.')
    const state = this.#proof(cookie)
    const query = new URLSearchParams({ client_id: clientId, redirect_uri: callbackPath, response_type: 'code', state })
    response.writeHead(302, {
      location: `${hubPath}api/oauth2/authorize?${query.toString()}`,
      'set-cookie': `${clientId}-state=${cookie}; Max-Age=600; ${reach(request, prefix)}`,
    })
    response.end()
  }

  /** Takes a browser back from the hub. */
  async finish(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { clientId, prefix, token, apiUrl, callbackPath } = this.#contract
    const cookie = readCookie(request, `${clientId}-state`) ?? ''
    const [, until = '0', next = ''] = cookie.split('.')
    const isOurs = sameSecret(this.#proof(cookie), url.searchParams.get('state') ?? '')
    if (!isOurs || Number(until) < Date.now()) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end('This login has expired; open the page again.')
      return
    }
    const answer = await fetch(`${apiUrl}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: token,
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: callbackPath,
      }),
    })
    const grant = answer.ok ? ((await answer.json()) as { readonly access_token: string }) : undefined
    const user = grant === undefined ? undefined : await this.#ask(grant.access_token)
    if (grant === undefined || user === undefined) {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('The hub did not let you in.')
      return
    }
    const key = randomBytes(24).toString('base64url')
    this.#logins.set(key, { token: grant.access_token, user, checkedAt: Date.now() })
    response.writeHead(302, {
      location: Buffer.from(next, 'base64url').toString(),
      'set-cookie': `${clientId}=${key}; ${reach(request, prefix)}`,
    })
    response.end()
  }

  #proof(cookie: string): string {
    return createHmac('sha256', this.#key).update(cookie).digest('base64url')
  }

  async #ask(token: string): Promise<string | undefined> {
    const answer = await fetch(`${this.#contract.apiUrl}/user`, { headers: { authorization: `token ${token}` } })
    if (!answer.ok) return undefined
    const { name, scopes } = (await answer.json()) as { readonly name: string; readonly scopes: readonly string[] }
    const wanted = [...this.#contract.accessScopes, 'access:servers']
    return scopes.some((scope) => wanted.includes(scope)) ? name : undefined
  }
}

/** Where a cookie is sent; one that was got by https, by https alone. */
function reach({ headers }: IncomingMessage, prefix: string): string {
  const isHttps = String(headers['x-forwarded-proto'] ?? '').includes('https')
  return `Path=${prefix}; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`
}

function readCookie(request: IncomingMessage, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = pair.trim().split(/=(.*)/s)
    if (key === name) return value
  }
  return undefined
}
