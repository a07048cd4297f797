import { oneOf } from '../../config/params.ts'
import { ProbeError } from '../../errors.ts'
import { type Mount, readMounts } from '../../isolation/mountinfo.ts'
import { defineProbe } from '../probe.ts'

/** What must be mounted: on a host EOS itself and the home folders, in ScienceBox what its containers share. */
const wanted: Readonly<Record<'host' | 'sciencebox', readonly { what: string; found: (mount: Mount) => boolean }[]>> = {
  host: [
    { what: 'a FUSE mount of eos', found: (mount) => isEos(mount) },
    { what: 'a FUSE mount of eos home folders (home-*)', found: (mount) => isEos(mount) && /home-/.test(words(mount)) },
  ],
  sciencebox: [
    {
      what: 'a mount of eosdocker or sciencebox/eos_mount',
      found: (mount) => /eosdocker|sciencebox\/eos_mount/.test(words(mount)),
    },
  ],
}

const words = (mount: Mount): string => `${mount.source} ${mount.mountPoint} ${mount.root}`
const isEos = (mount: Mount): boolean => mount.type.startsWith('fuse') && /eos/.test(words(mount))

export const mount = defineProbe({
  group: 'storage',
  name: 'mount',
  logName: 'mount',
  summary: 'Looks for the EOS mounts in the mount table of the kernel.',
  passes: 'host: a FUSE mount of eos and one of its `home-*` instances; sciencebox: eosdocker or sciencebox/eos_mount.',
  params: {
    mode: oneOf(['host', 'sciencebox'])('Where it runs.', { aliases: ['user_mode'] }),
  },
  measures: ['eos_mounts'],
  timeLimit: () => 5,
  async run(context, { mode }) {
    const mounts = readMounts()
    const missing = wanted[mode].filter(({ found }) => !mounts.some(found)).map(({ what }) => what)
    context.measure({
      name: 'eos_mounts',
      value: mounts.filter((one) => wanted[mode].some(({ found }) => found(one))).length,
      unit: 'count',
    })
    context.log('None', `eos mount points ${missing.length === 0 ? 'exist' : 'do not exist'} on ${mode}`)
    if (missing.length > 0) throw new ProbeError('PROBE_NOT_MOUNTED', `The mount table lacks ${missing.join(' and ')}`)
  },
})
