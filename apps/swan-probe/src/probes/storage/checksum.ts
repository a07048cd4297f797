import { ProbeError } from '../../errors.ts'
import { digestOf } from '../../isolation/operations/content.ts'
import { defineProbe } from '../probe.ts'
import { fileNumber, fileSize, folderPath, transferLimit } from './params.ts'
import { makeWorkload } from './workload.ts'

export const checksum = defineProbe({
  group: 'storage',
  name: 'checksum',
  logName: 'Checksum',
  summary: 'Writes files, reads them back from the disk and compares SHA-256 digests.',
  passes: 'The digest of every file that was read equals the digest of what was written.',
  params: { fileNumber, fileSize, filePath: folderPath },
  measures: ['corrupted_files'],
  timeLimit: ({ fileNumber: files, fileSize: { bytes } }) => transferLimit(2 * files * bytes),
  places: ({ filePath }) => [filePath],
  async run(context, values) {
    const { files } = await makeWorkload(context, 'checksum', values)
    const { bytes } = values.fileSize
    for (const file of files) {
      await context.isolated('writeFile', { path: file.path, bytes, seed: file.seed }, { path: file.path })
    }
    let corrupted = 0
    for (const file of files) {
      const source = digestOf(file.seed, bytes)
      const reading = await context.isolated(
        'readFile',
        { path: file.path, direct: true, atMost: bytes + 1 },
        { path: file.path },
      )
      const same = reading.sha256 === source
      if (!same) corrupted++
      context.log('INTEGRITY', [file.name, same ? 'True' : 'False', source, reading.sha256].join('\t'))
    }
    context.measure({ name: 'corrupted_files', value: corrupted, unit: 'count' })
    context.log('INTEGRITY', `Number of corrupted files ${corrupted}`)
    if (corrupted > 0) {
      throw new ProbeError(
        'PROBE_CORRUPT',
        `${corrupted} of ${files.length} files came back with other bytes than were written`,
      )
    }
  },
})
