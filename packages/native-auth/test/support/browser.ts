import type { NativeAuth } from '../../src/index.ts'

/** Headers or a body for one request. */
export interface Send {
  readonly headers?: Readonly<Record<string, string>>
  readonly ip?: string
}

/** A client with a cookie jar, which fetches forms before it posts them, as a browser does. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #auth: Pick<NativeAuth<unknown>, 'handler'>
  readonly #origin: string
  ip: string | undefined

  constructor(auth: Pick<NativeAuth<unknown>, 'handler'>, ip?: string, origin = 'https://hub.example.org') {
    this.#auth = auth
    this.#origin = origin
    this.ip = ip
  }

  async send(method: string, path: string, init: Send & { readonly body?: string } = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookies.size > 0 && !headers.has('cookie')) {
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    }
    if (!headers.has('sec-fetch-site') && !headers.has('origin')) headers.set('sec-fetch-site', 'same-origin')
    const body = init.body === undefined ? {} : { body: init.body }
    const request = new Request(new URL(path, this.#origin), { method, headers, ...body })
    const response = await this.#auth.handler(request, { clientIp: init.ip ?? this.ip })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const [name = '', value = ''] = pair.split('=')
      if (/Max-Age=0/.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }

  get(path: string, init: Send = {}): Promise<Response> {
    return this.send('GET', path, { ...init, headers: { accept: 'text/html', ...init.headers } })
  }

  json(method: string, path: string, value?: unknown, init: Send = {}): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...init.headers }
    return this.send(method, path, {
      ...init,
      headers,
      ...(value === undefined ? {} : { body: JSON.stringify(value) }),
    })
  }

  /** Fills in the form of a page and posts it; `page` is where the form is found. */
  async form(path: string, fields: Readonly<Record<string, string>>, page = path, init: Send = {}): Promise<Response> {
    const token = /name="_xsrf" value="([^"]+)"/.exec(await (await this.get(page)).text())?.[1] ?? ''
    return this.send('POST', path, {
      ...init,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html', ...init.headers },
      body: new URLSearchParams({ _xsrf: token, ...fields }).toString(),
    })
  }
}
