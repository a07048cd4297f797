import path from 'node:path'

import type { Size } from '../../config/sizes.ts'
import type { ProbeContext } from '../probe.ts'

/** Files that a throughput or checksum run works with, in a folder of its own. */
export interface Workload {
  readonly files: readonly { readonly name: string; readonly path: string; readonly seed: string }[]
}

/** Makes the folder of a run and sees to it that it goes away. */
export async function makeWorkload(
  context: ProbeContext,
  probe: string,
  values: { readonly filePath: string; readonly fileNumber: number; readonly fileSize: Size },
): Promise<Workload> {
  const folder = path.join(values.filePath, `.swan-probe-${probe}-${context.runId}`)
  context.defer(folder, async ({ isolated }) => {
    await isolated('removeFolder', { path: folder }, { path: folder })
  })
  await context.isolated(
    'makeFolder',
    { path: folder, needBytes: values.fileNumber * values.fileSize.bytes },
    { path: folder },
  )
  return {
    files: Array.from({ length: values.fileNumber }, (_, index) => {
      const name = `${index}.txt`
      return { name, path: path.join(folder, name), seed: `${context.runId}/${name}` }
    }),
  }
}
