import path from 'node:path'

import type { Order, Others, ProbeContext } from '../probe.ts'

/** Key under which `write` tells the rest of its chain where the file is. */
const writtenKey = 'written'

interface Written {
  /** As the YAML names it, a trailing slash meaning the original's `0.txt` in that folder. */
  readonly named: string
  /** Where it is in truth: unique, so that two runs, or a user's own file, never meet. */
  readonly actual: string
}

/** The file that a `filePath` names. The original appends `0.txt` to a folder. */
export const fileNamed = (filePath: string): string => (filePath.endsWith('/') ? `${filePath}0.txt` : filePath)

/** Picks the unique place for a file and remembers it for the chain. */
export function chooseTarget(context: ProbeContext, filePath: string): string {
  const named = fileNamed(filePath)
  const actual = path.join(path.dirname(named), `.${path.basename(named)}.${context.runId}`)
  context.chain.set(writtenKey, { named, actual } satisfies Written)
  return actual
}

/** Finds the file that a later link of the chain means: the one just written, or the one that the YAML names. */
export function targetOf(context: ProbeContext, filePath: string): { readonly path: string; readonly ours: boolean } {
  const written = context.chain.get(writtenKey) as Written | undefined
  const named = fileNamed(filePath)
  return written?.named === named ? { path: written.actual, ours: true } : { path: named, ours: false }
}

/** Order of write, exists and delete: a link needs the ones before it that work on the same file. */
export function fileOrder(filePath: string, earlier: readonly string[], others: Others): Order {
  const named = fileNamed(filePath)
  const needs = earlier.filter((id) => {
    const other = others.values(id)?.['filePath']
    return typeof other === 'string' && fileNamed(other) === named
  })
  return { chain: 'storage.file', after: earlier, needs }
}
