import type { Route } from '../handler.ts'
import { readJsonObject } from '../body.ts'
import type { Call, Site } from '../call.ts'
import { countClient } from '../limits.ts'
import { json, noContent } from '../respond.ts'
import { Fields } from './fields.ts'
import { presentAccount, presentOwnAccount, presentSession } from './present.ts'

/** The JSON side: what a program needs to sign up, log in and look after its sessions. */
export function jsonRoutes<Profile>(site: Site<Profile>): readonly Route<Profile>[] {
  const { auth } = site
  return [
    route('POST', '/users/register', async (call) => {
      await countClient(call, 'signUps')
      const body = await readJsonObject(call.request)
      const fields = new Fields(body)
      const input = {
        username: fields.text('username'),
        password: fields.text('password'),
        email: fields.optionalText('email'),
        adminToken: fields.optionalText('admin_token'),
        acceptTerms: fields.flag('accept_terms'),
        profile: body,
      }
      fields.check()
      const account = await auth.signUp(input, call.client())
      return json(201, presentAccount(account), call.headers)
    }),
    {
      ...route<Profile>('POST', '/login', async (call) => {
        await countClient(call, 'logins')
        const fields = new Fields(await readJsonObject(call.request))
        const credentials = { username: fields.text('username'), password: fields.text('password') }
        fields.check()
        const opened = await auth.authenticate(credentials, call.client())
        await endFormer(call)
        call.logIn(opened)
        return json(200, { token: opened.token, user: presentOwnAccount(opened.session.account) }, call.headers)
      }),
      body: 'json',
    },
    {
      ...route<Profile>('POST', '/logout', async (call) => {
        if (call.token !== undefined) await auth.sessions.end(call.token)
        call.logOut()
        return noContent(call.headers)
      }),
      body: 'json',
    },
    route('GET', '/me', async (call) => json(200, presentOwnAccount((await call.needSession()).account))),
    route('GET', '/sessions', async (call) => {
      const { id, account } = await call.needSession()
      const sessions = await auth.sessions.list(account.id)
      return json(200, { sessions: sessions.map((session) => presentSession(session, id)) })
    }),
    route('DELETE', '/sessions', async (call) => {
      const { account } = await call.needSession()
      await auth.sessions.revokeAll(account.id, { actorId: account.id, ip: call.ip })
      call.logOut()
      return noContent(call.headers)
    }),
    route('DELETE', '/sessions/*', async (call) => {
      const { account } = await call.needSession()
      await auth.sessions.revoke(account.id, call.params[0] ?? '')
      return noContent()
    }),
  ]
}

function route<Profile>(
  method: Route<Profile>['method'],
  path: string,
  run: (call: Call<Profile>) => Promise<Response>,
): Route<Profile> {
  return { method, path, isPage: false, run }
}

/** A browser that logs in again leaves no live session behind. */
export async function endFormer<Profile>(call: Call<Profile>): Promise<void> {
  if (call.token !== undefined) await call.site.auth.sessions.end(call.token)
}
