import { location } from '../../config/params.ts'
import { ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { repoPath } from './params.ts'

export const ttfb = defineProbe({
  group: 'cvmfs',
  name: 'ttfb',
  logName: 'Time_till_First_Byte',
  summary: 'Measures the time to the first byte of a file.',
  passes: 'The file opens and gives a byte.',
  params: { repoPath, filePath: location('File to open.', { aliases: ['filepath', 'path'] }) },
  measures: ['ttfb_seconds'],
  timeLimit: () => 30,
  places: ({ filePath }) => [filePath],
  async run(context, { filePath }) {
    const reading = await context.isolated('readFile', { path: filePath, atMost: 1, direct: false }, { path: filePath })
    if (reading.bytes === 0)
      throw new ProbeError('PROBE_FILE', `Expected a byte from \`${filePath}\`, the file is empty`)
    context.measure({ name: 'ttfb_seconds', value: reading.firstByteSeconds, unit: 's' })
    context.log('PERF', `${filePath}\t${reading.firstByteSeconds.toFixed(8)}`)
  },
})
