import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

import { build } from 'tsup'

import { report } from './support/paired.ts'

const ENTRIES = {
  '.': 'src/index.ts',
  './memory': 'src/memory.ts',
  './signals': 'src/signals/index.ts',
  './testing': 'src/testing/index.ts',
}

/** The package as a bundler ships it: minified, peers left out. */
export async function benchSize(): Promise<void> {
  process.chdir(path.join(import.meta.dirname, '..'))
  report('package, main entry, minified and gzipped', [await weigh([ENTRIES['.']])], {
    goal: { atMost: 15 },
    unit: ' kB',
  })
  const shipped = [ENTRIES['.'], ENTRIES['./signals']]
  report('package, main entry and signals', [await weigh(shipped)], { unit: ' kB' })
  report('package, signals alone', [await weigh([ENTRIES['./signals']])], { unit: ' kB' })
  report('package, all entries', [await weigh(Object.values(ENTRIES))], { unit: ' kB' })
}

/** Kilobytes of some entries, what they share counted once. */
async function weigh(entry: string[]): Promise<number> {
  const outDir = mkdtempSync(path.join(tmpdir(), 'task-context-size-'))
  try {
    await build({ ...BUILD, entry, outDir })
    const files = readdirSync(outDir, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
    return gzipSync(Buffer.concat(files.map((file) => readFileSync(path.join(outDir, file))))).length / 1000
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}

const BUILD = { config: false, format: 'esm', target: 'node22', minify: true, splitting: true, silent: true } as const
