import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** What the page loads from the package `swagger-ui-dist`; nothing comes from another host. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'start.js': 'text/javascript; charset=utf-8',
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
  const type = Object.hasOwn(assets, name) ? assets[name] : undefined
  if (type === undefined) return new Response('Not found\n', { status: 404 })
  const headers = { 'content-type': type, 'cache-control': 'public, max-age=3600' }
  if (name === 'start.js') return new Response(start, { headers })
  const file = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`))
  return new Response(new Uint8Array(await readFile(file)), { headers })
}
