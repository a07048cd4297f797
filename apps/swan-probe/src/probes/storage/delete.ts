import { messageOf, ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { filePath } from './params.ts'
import { fileOrder, targetOf } from './target.ts'

export const deleteFile = defineProbe({
  group: 'storage',
  name: 'delete',
  logName: 'Delete',
  summary: 'Deletes a file: the one that `write` made, or the one that the YAML names.',
  passes: 'The file is unlinked, and a look afterwards finds nothing.',
  params: { filePath },
  measures: ['delete_seconds'],
  timeLimit: () => 30,
  places: (values) => [values.filePath],
  order: (values, others) => fileOrder(values.filePath, ['storage.write', 'storage.exists'], others),
  async run(context, values) {
    const target = targetOf(context, values.filePath).path
    try {
      const { seconds } = await context.isolated('removeFile', { path: target, mayBeGone: false }, { path: target })
      context.measure({ name: 'delete_seconds', value: seconds, unit: 's' })
    } catch (error) {
      context.log('ERROR', `Error: ${messageOf(error)}.`, 'delete')
      throw error
    }
    const left = await context.isolated('inspect', { path: target }, { path: target })
    if (left.kind !== 'nothing' || left.dangling) {
      throw new ProbeError('PROBE_FILE', `\`${target}\` was unlinked without an error and is still there`)
    }
    context.log('INFO', `File ${values.filePath} successfully deleted`, 'delete')
  },
})
