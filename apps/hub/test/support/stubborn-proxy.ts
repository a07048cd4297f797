// A proxy that lives and never listens as long as the file named first exists; otherwise it is the real one.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const [, , file = '', ...args] = process.argv
if (existsSync(file)) setInterval(() => {}, 1000)
else {
  const manifest = createRequire(import.meta.url).resolve('configurable-http-proxy/package.json')
  const script = path.join(path.dirname(manifest), 'bin', 'configurable-http-proxy')
  process.argv = [process.execPath, script, ...args]
  await import(script)
}
