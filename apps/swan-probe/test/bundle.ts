import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** Builds the one-file program into a folder of its own, as `pnpm build` does. */
export async function buildBundle(): Promise<Disposable & { readonly file: string }> {
  const dir = mkdtempSync(path.join(tmpdir(), 'bundle-'))
  const tsup = path.join(
    path.dirname(createRequire(import.meta.url).resolve('tsup/package.json')),
    'dist/cli-default.js',
  )
  await promisify(execFile)(process.execPath, [tsup, '--out-dir', dir], { cwd: path.join(import.meta.dirname, '..') })
  return {
    file: path.join(dir, 'swan-probe.mjs'),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}
