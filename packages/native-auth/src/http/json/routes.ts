import type { Route } from '../route.ts'
import { jsonRoute as route, loggedIn } from './json-route.ts'
import { readJsonObject } from '../body.ts'
import type { Site } from '../call.ts'
import { countClient } from '../limits.ts'
import { adminRoutes } from './admin.ts'
import { factorRoutes } from './second-factor.ts'
import { json, noContent } from '../respond.ts'
import { Fields, profileOf } from './fields.ts'
import { presentAccount, presentOwnAccount, presentSession } from './present.ts'

/** The JSON side: what a program needs to sign up, log in and look after its sessions. */
export function jsonRoutes<Profile>(site: Site<Profile>): readonly Route<Profile>[] {
  const { auth } = site
  const { captchaField } = site.core.options.signUp ?? {}
  return [
    route('POST', '/users/register', async (call) => {
      await countClient(call, 'signUps')
      const body = readJsonObject(call)
      const fields = new Fields(body)
      const input = {
        username: fields.text('username'),
        password: fields.text('password'),
        email: fields.optionalText('email'),
        adminToken: fields.optionalText('admin_token'),
        acceptTerms: fields.flag('accept_terms'),
        captcha: fields.optionalText(captchaField ?? 'captcha'),
        profile: profileOf(body, captchaField),
      }
      fields.check()
      const account = await auth.signUp(input, call.client())
      return json(201, presentAccount(account), call.headers)
    }),
    {
      ...route<Profile>('POST', '/login', async (call) => {
        await countClient(call, 'logins')
        const fields = new Fields(readJsonObject(call))
        const credentials = {
          username: fields.text('username'),
          password: fields.text('password'),
          code: fields.optionalText('code'),
        }
        fields.check()
        return loggedIn(call, await auth.authenticate(credentials, call.client()))
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
    {
      ...route<Profile>('POST', '/change-password', async (call) => {
        const session = await call.needSession()
        const fields = new Fields(readJsonObject(call))
        const passwords = {
          current: fields.text('old_password'),
          next: fields.text('new_password'),
          code: fields.optionalText('code'),
        }
        fields.check()
        const opened = await auth.passwords.change(session, passwords, call.client())
        await call.logIn(opened)
        return json(200, { token: opened.token }, call.headers)
      }),
      body: 'json',
    },
    {
      ...route<Profile>('POST', '/forgot-password', async (call) => {
        await countClient(call, 'resets')
        const fields = new Fields(readJsonObject(call))
        const username = fields.text('username')
        fields.check()
        await auth.links.requestReset(username)
        return json(202, { detail: 'If the account has an address, a mail is on its way' })
      }),
      body: 'json',
    },
    route('POST', '/reset', async (call) => {
      const fields = new Fields(readJsonObject(call))
      const [token, password] = [fields.text('token'), fields.text('new_password')]
      fields.check()
      await auth.links.reset(token, password, { ip: call.ip })
      return noContent()
    }),
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
    ...factorRoutes(site),
    ...adminRoutes(site),
  ]
}
