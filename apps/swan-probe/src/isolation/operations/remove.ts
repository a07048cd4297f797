import { readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import path from 'node:path'

import type { Step } from './index.ts'

/** Unlinks a file. With `mayBeGone`, that nothing is there is fine. */
export function removeFile(input: { readonly path: string; readonly mayBeGone: boolean }, step: Step): void {
  step('unlink')
  tolerate(input.mayBeGone, () => unlinkSync(input.path))
}

/** Removes a folder that a probe made, with the plain files in it; links are removed, not followed. */
export function removeFolder(input: { readonly path: string }, step: Step): void {
  step('readdir')
  tolerate(true, () => {
    for (const name of readdirSync(input.path)) {
      step('unlink')
      unlinkSync(path.join(input.path, name))
    }
    step('rmdir')
    rmdirSync(input.path)
  })
}

function tolerate(gone: boolean, action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!gone || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
