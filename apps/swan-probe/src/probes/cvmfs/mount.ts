import { location, name } from '../../config/params.ts'
import { ProbeError } from '../../errors.ts'
import { mountOf, readMounts } from '../../isolation/mountinfo.ts'
import { defineProbe } from '../probe.ts'

const repoName = name('Name of the repository, such as sft.cern.ch.', { aliases: ['repo'] })
const repoPath = location('Where the repository is mounted.', { aliases: ['path', 'repo_path'] })

export const cvmfsMount = defineProbe({
  group: 'cvmfs',
  name: 'mount',
  logName: 'cvmfs_mount',
  summary: 'Tells whether a CVMFS repository is mounted and answers.',
  passes: 'The mount table has the repository on that path, and its folder can be listed and is not empty.',
  params: { repoName, repoPath },
  measures: ['list_seconds'],
  timeLimit: () => 30,
  places: (values) => [values.repoPath],
  async run(context, values) {
    const place = values.repoPath
    // autofs mounts a repository at its first use, so the look comes first and the mount table after it.
    const { entries, seconds } = await context.isolated('list', { path: place, atMost: 10 }, { path: place })
    context.measure({ name: 'list_seconds', value: seconds, unit: 's' })
    const found = mountOf(place, readMounts())
    const cvmfs =
      found !== undefined && (found.type === 'fuse' || found.type.startsWith('fuse.') || found.type === 'cvmfs2')
    if (!cvmfs || !`${found.source} ${found.mountPoint}`.includes(values.repoName)) {
      context.log('None', `${place} does not exist`)
      throw new ProbeError(
        'PROBE_NOT_MOUNTED',
        `Expected the repository ${values.repoName} on \`${place}\`, which belongs to \`${found?.mountPoint ?? '/'}\` (${found?.type ?? 'unknown'})`,
      )
    }
    if (entries.length === 0) throw new ProbeError('PROBE_NOT_MOUNTED', `\`${place}\` is mounted and empty`)
    context.log('None', `${place} exists`)
  },
})
