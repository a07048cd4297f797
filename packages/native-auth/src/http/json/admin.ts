import type { Actor } from '../../accounts/administer.ts'
import { invalid, NativeAuthError } from '../../errors.ts'
import type { NativeAuthCore } from '../../native-auth-types.ts'
import { readJsonObject } from '../body.ts'
import type { Call, Site } from '../call.ts'
import type { Route } from '../route.ts'
import { json, noContent } from '../respond.ts'
import { Fields, profileOf } from './fields.ts'
import { jsonRoute } from './json-route.ts'
import { presentForAdmin } from './present.ts'

const STATES = ['pending', 'authorised', 'blocked', 'admin'] as const

/** What administrators do to accounts, by the last segment of the path. */
const ACTIONS = {
  authorise: ({ accounts }, name, actor) => accounts.authorise(name, actor),
  unauthorise: ({ accounts }, name, actor) => accounts.unauthorise(name, actor),
  unblock: ({ accounts }, name, actor) => accounts.unblock(name, actor),
  unlock: ({ unlock }, name, actor) => unlock(name, actor),
  'sign-out': ({ sessions }, name, actor) => sessions.revokeAll(name, actor),
  'reset-second-factor': ({ secondFactor }, name, actor) => secondFactor.reset(name, actor),
  'grant-admin': ({ accounts }, name, actor) => accounts.setAdmin(name, true, actor),
  'withdraw-admin': ({ accounts }, name, actor) => accounts.setAdmin(name, false, actor),
} as const satisfies Record<
  string,
  (
    auth: Pick<NativeAuthCore<unknown>, 'accounts' | 'unlock' | 'sessions' | 'secondFactor'>,
    name: string,
    actor: Actor,
  ) => Promise<unknown>
>

/** The administrators' side; others get 403, logged in or not. */
export function adminRoutes<Profile>({ auth, core }: Site<Profile>): readonly Route<Profile>[] {
  const asAdmin = async (call: Call<Profile>): Promise<Actor> => {
    const { account } = await call.needAdmin()
    return { actorId: account.id, ip: call.ip }
  }
  const show = async (name: string) => {
    const account = await auth.accounts.get(name)
    if (account !== undefined) return json(200, presentForAdmin(account))
    throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'There is no such account')
  }
  const nameIn = (call: Call<Profile>) => call.params[0] ?? ''
  return [
    jsonRoute('GET', '/users', async (call) => {
      await asAdmin(call)
      const query = call.url.searchParams
      const offset = wholeNumber(query, 'offset', 0)
      const limit = wholeNumber(query, 'limit', 50)
      const state = STATES.find((known) => known === query.get('state'))
      const { accounts, total } = await auth.accounts.list({
        search: query.get('search') ?? undefined,
        state,
        offset,
        limit,
      })
      return json(200, { users: accounts.map(presentForAdmin), total, offset, limit })
    }),
    jsonRoute('POST', '/users', async (call) => {
      const actor = await asAdmin(call)
      const body = readJsonObject(call)
      const fields = new Fields(body)
      const input = {
        username: fields.text('username'),
        password: fields.text('password'),
        email: fields.optionalText('email'),
        isAdmin: fields.flag('is_admin'),
        profile: profileOf(body, core.options.signUp?.captchaField),
      }
      fields.check()
      return json(201, presentForAdmin(await auth.accounts.create(input, actor)))
    }),
    jsonRoute('GET', '/users/*', async (call) => {
      await asAdmin(call)
      return show(nameIn(call))
    }),
    jsonRoute('DELETE', '/users/*', async (call) => {
      await auth.accounts.discard(nameIn(call), await asAdmin(call))
      return noContent()
    }),
    jsonRoute('POST', '/users/*/block', async (call) => {
      const actor = await asAdmin(call)
      const fields = new Fields(call.body.length === 0 ? {} : readJsonObject(call))
      const reason = fields.optionalText('reason')
      const until = fields.optionalText('until')
      fields.check()
      const at = until === undefined ? undefined : Date.parse(until)
      if (Number.isNaN(at)) throw invalid('until', 'datetime_type', 'Give a date and time such as 2030-01-31T00:00:00Z')
      await auth.accounts.block(nameIn(call), { reason, until: at }, actor)
      return show(nameIn(call))
    }),
    jsonRoute('POST', '/users/*/reset-link', async (call) => {
      const { path, expiresAt } = await auth.links.createReset(nameIn(call), await asAdmin(call))
      return json(201, { path, expires_at: new Date(expiresAt).toISOString() })
    }),
    ...Object.entries(ACTIONS).map(([action, act]) =>
      jsonRoute<Profile>('POST', `/users/*/${action}`, async (call) => {
        const actor = await asAdmin(call)
        await act(auth, nameIn(call), actor)
        return show(nameIn(call))
      }),
    ),
    jsonRoute('GET', '/audit', async (call) => {
      await asAdmin(call)
      const query = call.url.searchParams
      const entries = await auth.audit.list({
        limit: wholeNumber(query, 'limit', 100),
        ...(query.has('before') ? { before: wholeNumber(query, 'before', 0) } : {}),
        ...(query.has('account') ? { accountId: wholeNumber(query, 'account', 0) } : {}),
      })
      return json(200, {
        entries: entries.map(({ accountId, actorId, at, ...entry }) => ({
          ...entry,
          at: new Date(at).toISOString(),
          account_id: accountId ?? null,
          actor_id: actorId ?? null,
        })),
      })
    }),
  ]
}

function wholeNumber(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  if (text === null) return fallback
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const msg = `Expected ${name} to be a whole number`
  const issues = [{ loc: ['query', name], type: 'int_parsing', msg }]
  throw new NativeAuthError('NATIVE_AUTH_INVALID_INPUT', msg, { issues })
}
