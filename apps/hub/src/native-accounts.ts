import { createNativeAuth, NativeAuthError, readNativeAuthenticator } from '@org/native-auth'

import type { Accounts } from './accounts.ts'
import { type Config, isHttps } from './config/config.ts'
import { RequestError } from './errors.ts'
import { readText } from './http/body.ts'
import { originOf } from './http/origin.ts'
import type { Log } from './log.ts'
import { Html } from './pages/html.ts'
import { layout, PAGE_POLICY } from './pages/layout.ts'
import type { Forms } from './pages/forms.ts'
import type { Database } from './store/tables.ts'
import { deleteStrayLogins } from './store/tokens.ts'
import { findUser, updateUser } from './store/users.ts'

/** Options of {@link createNativeAccounts}. */
export interface NativeAccountsOptions {
  readonly db: Database
  readonly config: Config
  readonly secret: string
  readonly forms: Forms
  readonly log: Log
  /** Takes away what an account that may no longer be used has got: tokens and running servers. */
  readonly onShutOut?: (name: string) => Promise<void>
}

/** Accounts by `@org/native-auth`, mounted below `hub`. */
export async function createNativeAccounts(options: NativeAccountsOptions): Promise<Accounts> {
  const { db, config, log } = options
  const hub = `${config.base_url}hub`
  const admins = new Set(config.accounts.admins.map((name) => name.toLowerCase()))
  const shutOut = async ({ account }: { readonly account: { readonly username: string } }) =>
    options.onShutOut?.(account.username)
  const auth = createNativeAuth({
    db,
    secret: options.secret,
    basePath: hub,
    home: `${hub}/home`,
    ...(config.public_url === undefined ? {} : { origins: [config.public_url] }),
    allowInsecureCookies: !isHttps(config),
    // With the path `/` they would reach every single-user server, and its owner with them every visitor's login.
    cookies: { prefix: 'jupyterhub-hub-', path: `${hub}/` },
    signUp: {
      enabled: config.accounts.enable_signup,
      // Who signs up first under the name of a user, with his files and rights, need not be that user.
      open: async (name) =>
        config.accounts.open_signup && !admins.has(name) && (await findUser(db, name)) === undefined,
    },
    passwords: { minLength: config.accounts.min_password_length },
    lockout: { failures: config.accounts.allowed_failed_logins },
    secondFactor: ({ no: 'optional', admins: 'admins', all: 'all' } as const)[config.accounts.require_2fa],
    serviceName: 'Hub',
    hooks: {
      async authorised({ account, actorId }) {
        // By an administrator: whoever merely signs up under such a name must not get his rights.
        if (actorId !== undefined && admins.has(account.username)) await auth.accounts.setAdmin(account.id, true)
      },
      unauthorised: shutOut,
      blocked: shutOut,
      removed: shutOut,
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
  // Tokens of ended logins open nothing any more; a database that cannot be written to may keep them a while.
  const tidy = () =>
    deleteStrayLogins(db).catch((error: unknown) => log('warn', 'ended logins not removed', { reason: String(error) }))

  return {
    async handle(request, clientIp) {
      const answer = await auth.handler(await asSeen(config, request), { clientIp })
      if (request.method !== 'GET') await tidy()
      return answer
    },

    async session(request) {
      const session = await auth.sessions.fromRequest(request)
      if (session === undefined) return undefined
      return { name: session.account.username, admin: session.account.isAdmin, sessionId: session.id }
    },

    async logOut(request) {
      const cookie = await auth.sessions.endFromRequest(request)
      await tidy()
      return cookie
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

/** The request with the address that its sender used: by https in front of the proxy, it comes to the hub by http. */
async function asSeen(config: Config, request: Request): Promise<Request> {
  const { url, method, headers } = request
  const seen = url.replace(/^http:\/\/[^/]*/, originOf(config, request))
  if (seen === url) return request
  return new Request(seen, {
    method,
    headers,
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: await readText(request) }),
  })
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
