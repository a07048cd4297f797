import path from 'node:path'

import { defineProbe } from '../probe.ts'
import { filePath, fileSize, transferLimit } from './params.ts'
import { chooseTarget, fileNamed, fileOrder } from './target.ts'

export const write = defineProbe({
  group: 'storage',
  name: 'write',
  logName: 'write',
  summary: 'Writes one new file down to the disk.',
  passes: 'A file of random content is created, written, flushed (fsync) and closed without an error.',
  params: { fileSize, filePath },
  measures: ['write_mb_per_s', 'write_seconds'],
  timeLimit: ({ fileSize: { bytes } }) => transferLimit(bytes),
  places: (values) => [values.filePath],
  order: (values, others) => fileOrder(values.filePath, [], others),
  async run(context, values) {
    const { bytes, text } = values.fileSize
    const target = chooseTarget(context, values.filePath)
    // The chain's own `delete` may not be there, or not be reached.
    context.defer(target, async ({ isolated }) => {
      await isolated('removeFile', { path: target, mayBeGone: true }, { path: target })
    })
    const { seconds } = await context.isolated('writeFile', { path: target, bytes, seed: target }, { path: target })
    context.measure({ name: 'write_seconds', value: seconds, unit: 's' })
    context.measure({ name: 'write_mb_per_s', value: bytes / 1e6 / seconds, unit: 'MB/s' })
    context.log(
      'INFO',
      `File ${path.basename(fileNamed(values.filePath))} of size ${text} successfully written`,
      'write',
    )
  },
})
