import { toRequestError } from '../http/errors.ts'
import type { Hub } from '../hub.ts'
import { html } from './html.ts'
import { pageResponse } from './layout.ts'
import { visitorOf } from './visitor.ts'

const titles: Readonly<Record<number, string>> = {
  400: 'That did not work',
  403: 'Not allowed',
  404: 'Not found',
  429: 'Too busy',
  503: 'Not available',
}

/** A failure as a page. */
export async function errorPage(hub: Hub, request: Request, error: unknown): Promise<Response> {
  const { status, message, headers } = toRequestError(hub, error)
  const visitor = status === 503 ? undefined : await visitorOf(hub, request).catch(() => undefined)
  const body = html`<p class="notice bad" role="alert">${message}</p>
    <p class="more"><a href="${hub.config.base_url}hub/home">Go home</a></p>`
  const title = titles[status] ?? 'Something went wrong'
  const response = pageResponse(hub.config.base_url, { title, body, reader: visitor?.reader }, status)
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  return response
}
