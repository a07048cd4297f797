import { createHash } from 'node:crypto'

import { Html, html } from '../../internal/html.ts'
import { STYLE } from './style.ts'
import type { Page } from './views.ts'

const styleHash = createHash('sha256').update(STYLE).digest('base64')

/** Policy of our own layout: the one style sheet, nothing else. */
export const OWN_POLICY: string = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

/** Policy under a layout that brings files of its own. */
export const LAYOUT_POLICY = `default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

/** The page around the content when the service brings no layout. */
export function ownLayout(page: Page<unknown>): string {
  const { account, basePath } = page
  const links =
    account === undefined
      ? html``
      : html`<nav aria-label="Account">
          ${account.isAdmin && html`<a href="${basePath}/authorize">Accounts</a>`}
          <a href="${basePath}/account">${account.displayName}</a>
          <a href="${basePath}/logout">Log out</a>
        </nav>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${page.title} · ${page.serviceName}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <header><span class="service">${page.serviceName}</span>${links}</header>
        <main class="${page.kind}">
          <h1>${page.title}</h1>
          ${new Html(page.body)}
        </main>
      </body>
    </html>`.markup.replace(/\n\s*/g, '\n')
}
