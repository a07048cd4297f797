import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** What the page loads from the package `swagger-ui-dist`; nothing comes from another host. */
const assets: Readonly<Record<string, { readonly type: string; readonly file: string }>> = {
  'swagger-ui.css': { type: 'text/css; charset=utf-8', file: import.meta.resolve('swagger-ui-dist/swagger-ui.css') },
  'swagger-ui-bundle.js': {
    type: 'text/javascript; charset=utf-8',
    file: import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'),
  },
}

const start = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  persistAuthorization: false,
  requestInterceptor: (request) => { request.headers.Accept ??= 'application/vnd.api+json'; return request },
})
`

/** The interactive page. */
export function docsPage(): Response {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Events API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      // Swagger UI sets style attributes; scripts come from this origin alone.
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
    },
  })
}

/** A part of the page. */
export async function docsAsset(name: string): Promise<Response> {
  const cache = { 'cache-control': 'public, max-age=3600' }
  if (name === 'start.js') {
    return new Response(start, { headers: { 'content-type': 'text/javascript; charset=utf-8', ...cache } })
  }
  const asset = Object.hasOwn(assets, name) ? assets[name] : undefined
  if (asset === undefined) return new Response('Not found\n', { status: 404 })
  const bytes = new Uint8Array(await readFile(fileURLToPath(asset.file)))
  return new Response(bytes, { headers: { 'content-type': asset.type, ...cache } })
}
