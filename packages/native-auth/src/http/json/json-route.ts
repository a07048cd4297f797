import type { NewSession } from '../../sessions/sessions.ts'
import type { Call } from '../call.ts'
import type { Route } from '../route.ts'
import { json } from '../respond.ts'
import { presentOwnAccount } from './present.ts'

/** A route whose errors are JSON. */
export function jsonRoute<Profile>(
  method: Route<Profile>['method'],
  path: string,
  run: (call: Call<Profile>) => Promise<Response>,
): Route<Profile> {
  return { method, path, isPage: false, run }
}

/** Answers a login: the token for programs, cookies for browsers; the session that the browser had before ends. */
export async function loggedIn<Profile>(
  call: Call<Profile>,
  opened: NewSession<Profile>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Response> {
  await call.logIn(opened)
  return json(200, { token: opened.token, user: presentOwnAccount(opened.session.account), ...more }, call.headers)
}
