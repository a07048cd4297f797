import { RequestError } from '../errors.ts'
import type { Hub } from '../hub.ts'
import { html } from '../pages/html.ts'
import { pageResponse, proofField } from '../pages/layout.ts'
import { visitorOf } from '../pages/visitor.ts'

/**
 * Asks whether somebody wants to be known to the server of somebody else, as JupyterHub does.
 *
 * Scripts that fetch the page get no form, as they could send it. One in a window of the same origin can still read it:
 * that is what sharing an origin means, and why the page asks for trust.
 *
 * @throws {@link RequestError} 403 when anything but a navigation asks.
 */
export async function askConsent(
  hub: Hub,
  request: Request,
  url: URL,
  server: { readonly user: string; readonly name: string },
): Promise<Response> {
  const visitor = await visitorOf(hub, request)
  if (visitor === undefined) throw new RequestError(403, 'Whoever opens this has to be asked first')
  const { reader } = visitor
  const what = server.name === '' ? `the server of ${server.user}` : `the server ${server.name} of ${server.user}`
  const body = html`<p>
      It runs what <b>${server.user}</b> put there. If you go on, it learns your name and your groups, and
      ${server.user} can read what you type there. While its pages are open, they could also look into pages of this hub
      that you may see. Go on only if you trust ${server.user}.
    </p>
    <form method="post" action="${url.pathname}${url.search}">
      ${proofField(reader)}
      <div class="acts"><button>Open ${what}</button></div>
    </form>
    <p class="more"><a href="${hub.config.base_url}hub/home">Go home</a></p>`
  return pageResponse(hub.config.base_url, { title: `Open ${what}?`, body, reader })
}
