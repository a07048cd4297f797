import { count, location } from '../../config/params.ts'
import { ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { repoPath } from './params.ts'

/** Files read from one package; releases have tens of thousands. */
const filesPerFolder = 1000

export const cvmfsThroughput = defineProbe({
  group: 'cvmfs',
  name: 'throughput',
  logName: 'Throughput',
  summary: 'Reads the files of the first packages of a release folder.',
  passes: 'At least one file is found, and every one is read to its end.',
  params: {
    num: count('How many packages (folders), in the order of their names.'),
    repoPath,
    filePath: location('Folder with the packages.', { aliases: ['filepath', 'path'] }),
  },
  measures: ['read_mb_per_s', 'read_seconds', 'files'],
  timeLimit: () => 120,
  places: ({ filePath }) => [filePath],
  async run(context, { num, filePath }) {
    const input = { path: filePath, folders: num, filesPerFolder }
    const { folders, rows } = await context.isolated('readTree', input, { path: filePath })
    for (const row of rows) {
      const times = [row.openSeconds, row.firstByteSeconds, row.seconds].map((value) => value.toFixed(6))
      context.log('INFO', `${row.path} ${times.join(' : ')}`)
      context.measure({ name: 'read_seconds', value: row.seconds, unit: 's' })
    }
    if (rows.length === 0) {
      throw new ProbeError('PROBE_FILE', `Expected files below \`${filePath}\`, its first ${folders} folders have none`)
    }
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
    const seconds = rows.reduce((sum, row) => sum + row.seconds, 0)
    context.measure({ name: 'files', value: rows.length, unit: 'count' })
    context.measure({ name: 'read_mb_per_s', value: bytes / 1e6 / seconds, unit: 'MB/s' })
  },
})
