import type { Hono } from 'hono'

import type { Hub } from '../hub.ts'
import type { Operation, Resource } from '../rest/call.ts'
import { type Html, html } from './html.ts'
import { pageResponse } from './layout.ts'
import { visitorOf } from './visitor.ts'

function describe(base: string, path: string, verb: string, operation: Operation): Html {
  const fields = [
    ...Object.entries(operation.query ?? {}).map(([name, meaning]) => [`?${name}`, meaning]),
    ...Object.entries(operation.body ?? {}).map(([name, { description }]) => [name, description]),
  ]
  return html`<section class="card">
    <h2>${operation.summary}</h2>
    <p><code>${verb.toUpperCase()} ${base}${path}</code></p>
    ${operation.scopes.length > 0 && html`<p class="hint">Any of the scopes ${operation.scopes.join(', ')}</p>`}
    <ul>
      ${fields.map(([name, meaning]) => html`<li><code>${name}</code>: ${meaning}</li>`)}
      ${Object.entries(operation.answers).map(([status, meaning]) => html`<li><b>${status}</b> ${meaning}</li>`)}
    </ul>
  </section>`
}

/** Mounts the page that shows the API, made from what answers the calls. */
export function mountApiDocs(app: Hono, hub: Hub, base: string, resources: readonly Resource[]): void {
  app.get(`${base}/docs`, async ({ req }) => {
    const visitor = await visitorOf(hub, req.raw)
    const body = html`<p>
        Calls carry <code>Authorization: token T</code> or <code>Bearer T</code>. The same as
        <a href="${base}/openapi.json">OpenAPI document</a>.
      </p>
      ${resources.map(({ path, operations }) =>
        Object.entries(operations).map(([verb, operation]) => describe(base, path, verb, operation)),
      )}`
    return pageResponse(hub.config.base_url, { title: 'REST API', body, reader: visitor?.reader, wide: true })
  })
}
