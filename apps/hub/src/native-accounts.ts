import { createNativeAuth, NativeAuthError, readNativeAuthenticator } from '@org/native-auth'

import type { Accounts } from './accounts.ts'
import type { Config } from './config/config.ts'
import { RequestError } from './errors.ts'
import type { Log } from './log.ts'
import { Html } from './pages/html.ts'
import { layout, PAGE_POLICY } from './pages/layout.ts'
import type { Forms } from './pages/forms.ts'
import { findUser, updateUser } from './store/users.ts'
import type { Database } from './store/tables.ts'

/** Prefix of the authenticator's cookies when it is told that https may be absent. */
const INNER = 'native-auth-'
/** Prefix under which browsers get them: the login cookie is then `jupyterhub-hub-login`'s place in JupyterHub. */
const OUTER = 'jupyterhub-hub-'

/** Options of {@link createNativeAccounts}. */
export interface NativeAccountsOptions {
  readonly db: Database
  readonly config: Config
  readonly secret: string
  readonly forms: Forms
  readonly log: Log
}

/** Accounts by `@org/native-auth`, mounted below `hub`. */
export async function createNativeAccounts(options: NativeAccountsOptions): Promise<Accounts> {
  const { db, config, log } = options
  const hub = `${config.base_url}hub`
  const secure = config.public_url?.startsWith('https:') === true || config.proxy.ssl_key !== undefined
  const auth = createNativeAuth({
    db,
    secret: options.secret,
    basePath: hub,
    home: `${hub}/home`,
    ...(config.public_url === undefined ? {} : { origins: [config.public_url] }),
    // Its own cookies would be sent to every user's server below the same origin; see `outward`.
    allowInsecureCookies: true,
    signUp: { enabled: config.accounts.enable_signup, open: config.accounts.open_signup },
    passwords: { minLength: config.accounts.min_password_length },
    lockout: { failures: config.accounts.allowed_failed_logins },
    secondFactor: ({ no: 'optional', admins: 'admins', all: 'all' } as const)[config.accounts.require_2fa],
    serviceName: 'Hub',
    hooks: {
      // The account's page and the hub's page for administrators must not contradict each other.
      adminChanged: async ({ account }) => {
        const user = await findUser(db, account.username)
        if (user !== undefined) await updateUser(db, user, { admin: account.isAdmin })
      },
    },
    onError: (error) => log('error', 'authenticator', { reason: String(error) }),
    pages: {
      contentSecurityPolicy: PAGE_POLICY,
      layout: (page) => {
        const { account } = page
        return layout(config.base_url, {
          title: page.title,
          body: new Html(page.body),
          wide: page.kind === 'authorize',
          reader: account === undefined ? undefined : { name: account.username, admin: account.isAdmin, proof: '' },
        })
      },
    },
  })
  await auth.migrate()

  return {
    async handle(request, clientIp) {
      const answer = await auth.handler(inward(request), { clientIp })
      return outward(answer, `${hub}/`, secure)
    },

    async session(request) {
      const cookie = request.headers.get('cookie')
      if (cookie === null) return undefined
      const session = await auth.sessions.fromRequest({ headers: new Headers({ cookie: innerCookies(cookie) }) })
      if (session === undefined) return undefined
      return { name: session.account.username, admin: session.account.isAdmin, sessionId: session.id }
    },

    async logOut(request) {
      const cookie = innerCookies(request.headers.get('cookie') ?? '')
      const token = new RegExp(`(?:^|;\\s*)${INNER}session=([^;]+)`).exec(cookie)?.[1]
      if (token !== undefined) await auth.sessions.end(token)
      return [`${OUTER}session=; Path=${hub}/; Max-Age=0; HttpOnly; SameSite=Lax`]
    },

    async authenticate(username, password, clientIp) {
      try {
        const { token, session } = await auth.authenticate({ username, password }, { ip: clientIp })
        // Only the answer is wanted, not a login that goes on.
        await auth.sessions.end(token)
        return session.account.username
      } catch (error) {
        if (error instanceof NativeAuthError) return undefined
        throw error
      }
    },

    async exists(name) {
      return (await auth.accounts.get(name)) !== undefined
    },

    async setAdmin(name, isAdmin) {
      const account = await auth.accounts.get(name)
      if (account === undefined || account.isAdmin === isAdmin) return
      await refusable(() => auth.accounts.setAdmin(account.id, isAdmin))
    },

    async discard(name) {
      if ((await auth.accounts.get(name)) !== undefined) await refusable(() => auth.accounts.remove(name))
    },

    async importFrom(source, admins) {
      const report = await auth.importAccounts(readNativeAuthenticator(source), { admins })
      const problems = report.problems.map(({ line, reason, outcome }) => `row ${line}: ${reason} (${outcome})`)
      return { imported: report.imported, present: report.present, problems }
    },

    async createAdmin(name, password) {
      const known = await auth.accounts.get(name)
      if (known === undefined) {
        return (await auth.accounts.create({ username: name, password, isAdmin: true })).username
      }
      await auth.passwords.set(known.id, password)
      await auth.accounts.authorise(known.id)
      await auth.accounts.setAdmin(known.id, true)
      return known.username
    },
  }
}

/** What the authenticator refuses, the caller learns as a refusal of his request. */
async function refusable(run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (error instanceof NativeAuthError) throw new RequestError(400, error.message)
    throw error
  }
}

function innerCookies(cookie: string): string {
  return cookie.replaceAll(OUTER, INNER)
}

/** The request as the authenticator expects it. */
function inward(request: Request): Request {
  const cookie = request.headers.get('cookie')
  if (cookie === null) return request
  const headers = new Headers(request.headers)
  headers.set('cookie', innerCookies(cookie))
  return new Request(request, { headers })
}

/**
 * The answer as browsers get it: cookies only below `hub/`.
 *
 * With the path `/` they would reach every single-user server, and its owner with them every visitor's login.
 */
function outward(answer: Response, path: string, secure: boolean): Response {
  const cookies = answer.headers.getSetCookie()
  if (cookies.length === 0) return answer
  const headers = new Headers(answer.headers)
  headers.delete('set-cookie')
  for (const cookie of cookies) {
    const narrowed = cookie.replace(INNER, OUTER).replace(/; Path=\/(?=;|$)/, `; Path=${path}`)
    headers.append('set-cookie', secure ? `${narrowed}; Secure` : narrowed)
  }
  return new Response(answer.body, { status: answer.status, headers })
}
