import { ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { filePath } from './params.ts'
import { fileOrder, targetOf } from './target.ts'

export const exists = defineProbe({
  group: 'storage',
  name: 'exists',
  logName: 'file_exists',
  summary: 'Looks for a file: the one that `write` made, or the one that the YAML names.',
  passes: 'A plain file is there, links followed.',
  params: { filePath },
  measures: ['stat_seconds'],
  timeLimit: () => 30,
  places: (values) => [values.filePath],
  order: (values, others) => fileOrder(values.filePath, ['storage.write'], others),
  async run(context, values) {
    const target = targetOf(context, values.filePath).path
    const found = await context.isolated('inspect', { path: target }, { path: target })
    context.measure({ name: 'stat_seconds', value: found.seconds, unit: 's' })
    if (found.kind === 'file') {
      context.log('INFO', `File ${values.filePath} detected`, 'search')
      return
    }
    context.log('ERROR', `File ${values.filePath} not detected`, 'search')
    const what = found.dangling
      ? 'a link that leads nowhere'
      : { folder: 'a folder', other: 'no plain file', nothing: 'nothing' }[found.kind]
    throw new ProbeError('PROBE_FILE', `Expected a plain file at \`${target}\`, found ${what}`)
  },
})
