import { opendirSync } from 'node:fs'

import type { Step } from './step.ts'

/** Opens a folder and reads its first entries, which any healthy mount answers. */
export function list(
  input: { readonly path: string; readonly atMost: number },
  step: Step,
): { readonly entries: readonly string[]; readonly seconds: number } {
  const started = performance.now()
  step('opendir')
  const folder = opendirSync(input.path)
  try {
    step('readdir')
    const entries: string[] = []
    while (entries.length < input.atMost) {
      const entry = folder.readSync()
      if (entry === null) break
      entries.push(entry.name)
    }
    return { entries, seconds: (performance.now() - started) / 1000 }
  } finally {
    folder.closeSync()
  }
}
