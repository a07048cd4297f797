import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import path from 'node:path'

import { Html, html } from '../pages/html.ts'
import { ASSETS } from '../places.ts'

/** The hub's own style sheet: one look on both sides of the proxy. */
const style = new Html(readFileSync(path.join(ASSETS, 'hub.css'), 'utf8'))

const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; frame-ancestors 'none'"

/** Answers with a page of the bundled server. */
export function sendPage(response: ServerResponse, prefix: string, title: string, body: Html, status = 200): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'no-store',
  })
  const links = [
    html`<a href="${prefix}files/">Files</a>`,
    html`<a href="${prefix}console">Console</a>`,
    html`<a href="${prefix}hub">Hub</a>`,
  ]
  response.end(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${title}</title>
          <link rel="icon" href="data:," />
          <style>
            ${style}
          </style>
        </head>
        <body>
          <header>
            <span class="service">My server</span>
            <nav aria-label="Server">${links}</nav>
          </header>
          <main class="wide">
            <h1>${title}</h1>
            ${body}
          </main>
        </body>
      </html>`.markup,
  )
}
