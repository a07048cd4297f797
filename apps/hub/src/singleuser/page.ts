import type { ServerResponse } from 'node:http'

import { type Html, html } from '../pages/html.ts'

const style = html`
  :root { color-scheme: light dark; } a { color: var(--accent); } body { max-width: 60rem; margin: 0 auto; padding: 1rem
  1.25rem; font: 16px/1.5 system-ui, sans-serif; } nav { display: flex; gap: 1.25rem; margin-bottom: 1rem; } textarea {
  box-sizing: border-box; width: 100%; min-height: 6rem; font: 0.875rem/1.5 ui-monospace, monospace; } button {
  min-height: 2.75rem; padding: 0 1.25rem; font: inherit; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font:
  0.875rem/1.5 ui-monospace, monospace; }
`

/** Answers with a page of the bundled server. */
export function sendPage(response: ServerResponse, prefix: string, title: string, body: Html, status = 200): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'",
    'cache-control': 'no-store',
  })
  response.end(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          <link rel="icon" href="data:," />
          <style>
            ${style}
          </style>
        </head>
        <body>
          <nav aria-label="Server">
            <a href="${prefix}files/">Files</a><a href="${prefix}console">Console</a>
            <a href="${prefix}hub">Hub</a>
          </nav>
          <main>
            <h1>${title}</h1>
            ${body}
          </main>
        </body>
      </html>`.markup,
  )
}
