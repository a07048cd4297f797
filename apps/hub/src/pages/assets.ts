import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import type { Hono } from 'hono'

import { ASSETS } from '../places.ts'

const CSS = 'text/css; charset=utf-8'
const JS = 'text/javascript; charset=utf-8'
const SVG = 'image/svg+xml'
const own = (name: string) => path.join(ASSETS, name)
const require = createRequire(import.meta.url)
const packaged = (name: string, file: string) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file)

/** Path below the hub's own to file and media type. */
const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  // Where a notebook server takes the picture in its header from.
  logo: [own('logo.svg'), SVG],
  'static/hub.css': [own('hub.css'), CSS],
  'static/spawn-pending.js': [own('spawn-pending.js'), JS],
  'static/console.js': [own('console.js'), JS],
  'static/xterm.js': [packaged('@xterm/xterm', 'lib/xterm.mjs'), JS],
  'static/xterm-fit.js': [packaged('@xterm/addon-fit', 'lib/addon-fit.mjs'), JS],
  'static/xterm.css': [packaged('@xterm/xterm', 'css/xterm.css'), CSS],
}

/** Mounts pictures, style sheets and scripts; each is read when it is first asked for. */
export function mountAssets(app: Hono, base: string): void {
  const bodies = new Map<string, string>()
  for (const [name, [file, type]] of Object.entries(files)) {
    const headers = { 'content-type': type, 'cache-control': 'max-age=3600', 'x-content-type-options': 'nosniff' }
    app.get(`${base}/${name}`, () => {
      const body = bodies.get(name) ?? readFileSync(file, 'utf8')
      bodies.set(name, body)
      return new Response(body, { headers })
    })
  }
}
