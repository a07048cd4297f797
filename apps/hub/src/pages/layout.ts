import { HUB_VERSION } from '../version.ts'
import { type Html, html } from './html.ts'

/** Who a page is for. */
export interface Reader {
  readonly name: string
  readonly admin: boolean
  /** Proof for forms, see `Forms`; empty on the authenticator's pages, which have proofs of their own. */
  readonly proof: string
}

/** A page without its frame. */
export interface PageDraft {
  readonly title: string
  readonly body: Html
  readonly reader?: Reader | undefined
  /** Paths below the base that scripts of the page come from. */
  readonly scripts?: readonly string[]
  /** Wide pages hold tables. */
  readonly wide?: boolean
  /** Trusted markup for the head. */
  readonly head?: Html
}

/** The one policy of all pages: own files only, no frames, no inline scripts. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** Puts the frame around a page: head, navigation, content. */
export function layout(baseUrl: string, page: PageDraft): string {
  const { title, body, reader, scripts = [], wide = false } = page
  const hub = `${baseUrl}hub`
  const links = reader !== undefined && [
    html`<a href="${hub}/home">Home</a>`,
    html`<a href="${hub}/databases">Databases</a>`,
    html`<a href="${hub}/token">Tokens</a>`,
    reader.admin && html`<a href="${hub}/admin">Users</a><a href="${hub}/authorize">Accounts</a>`,
    html`<a href="${hub}/change-password">${reader.name}</a>`,
    reader.proof === ''
      ? html`<a href="${hub}/logout">Log out</a>`
      : html`<form method="post" action="${hub}/logout" class="inline">
          ${proofField(reader)}<button class="link">Log out</button>
        </form>`,
  ]
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Hub</title>
        <link rel="icon" type="image/svg+xml" href="${hub}/logo" />
        <link rel="stylesheet" href="${hub}/static/hub.css?v=${HUB_VERSION}" />
        ${page.head} ${scripts.map((script) => html`<script type="module" src="${hub}/static/${script}"></script>`)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header>
          <a class="service" href="${hub}/">Hub</a>${links !== false && html`<nav aria-label="Hub">${links}</nav>`}
        </header>
        <main id="content" class="${wide ? 'wide' : ''}">
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`.markup.replace(/\n\s*/g, '\n')
}

/** The hidden field that proves a form came from the hub. */
export function proofField(reader: Reader): Html {
  return html`<input type="hidden" name="_xsrf" value="${reader.proof}" />`
}

/** Answers with a page. */
export function pageResponse(baseUrl: string, page: PageDraft, status = 200): Response {
  return new Response(layout(baseUrl, page), {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': PAGE_POLICY,
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
  })
}
