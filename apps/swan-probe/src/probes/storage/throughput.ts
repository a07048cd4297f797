import { ProbeError } from '../../errors.ts'
import { summarise } from '../../runner/statistics.ts'
import { defineProbe, type ProbeContext } from '../probe.ts'
import { fileNumber, fileSize, folderPath, transferLimit } from './params.ts'
import { makeWorkload } from './workload.ts'

export const throughput = defineProbe({
  group: 'storage',
  name: 'throughput',
  logName: 'throughput',
  summary: 'Measures how fast files are written and read.',
  passes:
    'All files are written and flushed, then read back whole. Rows say whether a read was `direct`, past the cache, or `cached`.',
  params: { fileNumber, fileSize, filePath: folderPath },
  measures: ['write_mb_per_s', 'read_mb_per_s', 'write_seconds', 'read_seconds'],
  timeLimit: ({ fileNumber: files, fileSize: { bytes } }) => transferLimit(2 * files * bytes),
  places: ({ filePath }) => [filePath],
  async run(context, values) {
    const { files } = await makeWorkload(context, 'throughput', values)
    const { bytes } = values.fileSize
    await phase(context, 'write', files, bytes, async (file) => {
      const { seconds } = await context.isolated(
        'writeFile',
        { path: file.path, bytes, seed: file.seed },
        { path: file.path },
      )
      return { seconds, way: 'fsync' }
    })
    await phase(context, 'read', files, bytes, async (file) => {
      const reading = await context.isolated(
        'readFile',
        { path: file.path, direct: true, atMost: bytes + 1 },
        { path: file.path },
      )
      if (reading.bytes !== bytes) {
        throw new ProbeError('PROBE_CORRUPT', `Expected ${bytes} bytes in \`${file.path}\`, read ${reading.bytes}`)
      }
      return reading
    })
  },
})

interface File {
  readonly name: string
  readonly path: string
  readonly seed: string
}

async function phase(
  context: ProbeContext,
  verb: 'write' | 'read',
  files: readonly File[],
  bytes: number,
  transfer: (file: File) => Promise<{ readonly seconds: number; readonly way: string }>,
): Promise<void> {
  const rates: number[] = []
  for (const file of files) {
    const started = Date.now() / 1000
    const { seconds, way } = await transfer(file)
    const rate = bytes / 1e6 / seconds
    rates.push(rate)
    context.measure({ name: `${verb}_seconds`, value: seconds, unit: 's' })
    context.measure({ name: `${verb}_mb_per_s`, value: rate, unit: 'MB/s' })
    const columns = [
      file.name,
      bytes,
      seconds.toFixed(8),
      rate.toFixed(4),
      started.toFixed(4),
      (started + seconds).toFixed(4),
      way,
    ]
    context.log('PERF', columns.join('\t'), verb)
  }
  const { count, sum, min, max, average, median } = summarise(rates)
  const numbers = [sum, min, max, average, median].map((value) => value.toFixed(4))
  context.log('PERF', `Stats: [${[count, ...numbers].join(', ')}]`, verb)
}
