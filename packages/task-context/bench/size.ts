import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

import { build } from 'tsup'

import { report } from './support/paired.ts'

/** The whole package as a bundler would ship it: all entries, minified, each shared part once. */
export async function benchSize(): Promise<void> {
  const outDir = mkdtempSync(path.join(tmpdir(), 'task-context-size-'))
  const root = path.join(import.meta.dirname, '..')
  const entry = { index: 'src/index.ts', signals: 'src/signals/index.ts', testing: 'src/testing/index.ts' }
  try {
    process.chdir(root)
    await build({
      config: false,
      entry,
      outDir,
      format: 'esm',
      target: 'node22',
      minify: true,
      splitting: true,
      silent: true,
    })
    const files = readdirSync(outDir, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
    const code = Buffer.concat(files.map((file) => readFileSync(path.join(outDir, file))))
    report('package, minified and gzipped', [gzipSync(code).length / 1000], {
      goal: { atMost: 15 },
      unit: ' kB',
    })
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}
