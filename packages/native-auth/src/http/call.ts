import type { Core } from '../core.ts'
import { NativeAuthError } from '../errors.ts'
import { newToken } from '../internal/secrets.ts'
import type { AttemptClient } from '../accounts/authenticate.ts'
import type { NativeAuthCore } from '../native-auth-types.ts'
import type { NewSession, Session } from '../sessions/sessions.ts'
import { DEVICE_SECONDS, newDevice } from '../throttle/device.ts'
import { type CookieJar, readCookie, readToken } from './cookies.ts'

/** What the routes of one installation share. */
export interface Site<Profile> {
  readonly core: Core<Profile>
  readonly auth: NativeAuthCore<Profile>
  readonly basePath: string
  readonly origins: readonly string[]
  readonly home: string
  readonly serviceName: string
  readonly cookies: CookieJar
}

/** One request on its way through a route. */
export class Call<Profile> {
  readonly site: Site<Profile>
  readonly request: Request
  readonly url: URL
  readonly params: readonly string[]
  readonly ip: string | undefined
  /** What came with the request; whole before a route runs. */
  body: Uint8Array = new Uint8Array()
  /** Headers for the answer, whichever it is. */
  readonly headers: Headers = new Headers()
  #session: Promise<Session<Profile> | undefined> | undefined
  #formBinding: string | undefined

  constructor(site: Site<Profile>, request: Request, url: URL, params: readonly string[], ip: string | undefined) {
    this.site = site
    this.request = request
    this.url = url
    this.params = params
    this.ip = ip
  }

  get token(): string | undefined {
    return readToken(this.request.headers, this.site.cookies)
  }

  session(): Promise<Session<Profile> | undefined> {
    return (this.#session ??=
      this.token === undefined ? Promise.resolve(undefined) : this.site.auth.sessions.verify(this.token))
  }

  /** @throws {@link NativeAuthError} `NATIVE_AUTH_UNAUTHENTICATED`. */
  async needSession(): Promise<Session<Profile>> {
    const session = await this.session()
    if (session !== undefined) return session
    throw new NativeAuthError('NATIVE_AUTH_UNAUTHENTICATED', 'Log in first')
  }

  /** @throws {@link NativeAuthError} `NATIVE_AUTH_FORBIDDEN` for whoever is not an administrator, logged in or not. */
  async needAdmin(): Promise<Session<Profile>> {
    const session = await this.session()
    if (session?.account.isAdmin === true) return session
    throw new NativeAuthError('NATIVE_AUTH_FORBIDDEN', 'This is for administrators')
  }

  /** The client of an attempt to log in as somebody. */
  client(): AttemptClient {
    return {
      ip: this.ip,
      userAgent: this.request.headers.get('user-agent') ?? undefined,
      device: readCookie(this.request.headers, this.site.cookies.device),
    }
  }

  /** Gives the browser a session in place of the one it had, and a mark by which the lockout knows this device again. */
  async logIn(opened: NewSession<Profile>): Promise<void> {
    const { auth, core, cookies } = this.site
    if (this.token !== undefined) await auth.sessions.end(this.token)
    const seconds = Math.floor(core.absoluteMs / 1000)
    this.headers.append('set-cookie', cookies.write(cookies.session, opened.token, seconds))
    const mark = newDevice(core.keys, core.random, opened.session.account.username, opened.session.createdAt)
    this.headers.append('set-cookie', cookies.write(cookies.device, mark, DEVICE_SECONDS))
    this.#session = Promise.resolve(opened.session)
    this.#formBinding = opened.token
  }

  /** Takes the session away from the browser. */
  logOut(): void {
    const { cookies } = this.site
    this.headers.append('set-cookie', cookies.write(cookies.session, '', 0))
    this.#session = Promise.resolve(undefined)
  }

  /** The hidden value of the forms of a page: bound to the session, before a login to a cookie of its own. */
  formToken(): string {
    const { core, cookies } = this.site
    if (this.#formBinding === undefined) {
      this.#formBinding = this.#knownBinding()
      if (this.#formBinding === undefined) {
        this.#formBinding = newToken(core.random)
        this.headers.append('set-cookie', cookies.write(cookies.form, this.#formBinding, 86_400))
      }
    }
    return core.keys.sign('form', this.#formBinding)
  }

  /** @throws {@link NativeAuthError} `NATIVE_AUTH_CROSS_SITE` when a form was not ours. */
  checkForm(form: URLSearchParams): void {
    const binding = this.#knownBinding()
    const token = form.get('_xsrf')
    if (binding !== undefined && token !== null && this.site.core.keys.verify('form', binding, token)) return
    throw new NativeAuthError('NATIVE_AUTH_CROSS_SITE', 'This form is too old; load the page again')
  }

  #knownBinding(): string | undefined {
    const { headers } = this.request
    return readCookie(headers, this.site.cookies.session) ?? readCookie(headers, this.site.cookies.form)
  }
}
