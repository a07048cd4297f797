import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import path from 'node:path'

import type { Step } from './step.ts'

/** Unlinks a file. With `mayBeGone`, that nothing is there is fine. */
export function removeFile(
  input: { readonly path: string; readonly mayBeGone: boolean },
  step: Step,
): { readonly seconds: number } {
  step('unlink')
  const started = performance.now()
  // A read-only file system refuses to unlink even what is not there, so it is looked at first.
  if (input.mayBeGone && lstatSync(input.path, { throwIfNoEntry: false }) === undefined) return { seconds: 0 }
  unlinkSync(input.path)
  return { seconds: (performance.now() - started) / 1000 }
}

/** Removes a folder that a probe made, with the plain files in it; links are removed, not followed. */
export function removeFolder(input: { readonly path: string }, step: Step): void {
  step('lstat')
  if (lstatSync(input.path, { throwIfNoEntry: false }) === undefined) return
  step('unlink')
  for (const name of readdirSync(input.path)) unlinkSync(path.join(input.path, name))
  step('rmdir')
  rmdirSync(input.path)
}
