import { opendirSync } from 'node:fs'

import type { Step } from './index.ts'

/** Opens a folder and reads its first entries, which any healthy mount answers. */
export function list(input: { readonly path: string; readonly atMost: number }, step: Step): readonly string[] {
  step('opendir')
  const folder = opendirSync(input.path)
  try {
    step('readdir')
    const found: string[] = []
    while (found.length < input.atMost) {
      const entry = folder.readSync()
      if (entry === null) break
      found.push(entry.name)
    }
    return found
  } finally {
    folder.closeSync()
  }
}
