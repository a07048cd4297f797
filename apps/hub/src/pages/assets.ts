import { readFileSync } from 'node:fs'

import type { Hono } from 'hono'

const files: Readonly<Record<string, string>> = {
  'hub.css': 'text/css; charset=utf-8',
  'spawn-pending.js': 'text/javascript; charset=utf-8',
}

/** Mounts style sheet and scripts; read once, they are small. */
export function mountAssets(app: Hono, base: string): void {
  for (const [name, type] of Object.entries(files)) {
    const body = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
    const headers = { 'content-type': type, 'cache-control': 'max-age=3600', 'x-content-type-options': 'nosniff' }
    app.get(`${base}/static/${name}`, () => new Response(body, { headers }))
  }
}
