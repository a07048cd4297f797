import path from 'node:path'

import { names, seconds } from '../../config/params.ts'
import { messageOf } from '../../errors.ts'
import { mountOf, readMounts } from '../../isolation/mountinfo.ts'
import { defineProbe, type ProbeContext } from '../probe.ts'

/** Mount points of the original are named below `/eos`. */
const placeOf = (point: string): string =>
  path.isAbsolute(point) ? point : path.join('/', /^eos(\/|$)/.test(point) ? point : path.join('eos', point))

export const mountSanity = defineProbe({
  group: 'storage',
  name: 'mount_sanity',
  logName: 'mount_sanity',
  summary: 'Looks into every mount point and tells the ones that hang.',
  passes: 'Each mount point can be opened and listed within `timeout` seconds of its own.',
  params: {
    mountpoints: names('Folders to look into; relative ones are below /eos.', { aliases: ['mount_points'] }),
    timeout: seconds('Limit for each mount point.'),
  },
  measures: ['list_seconds'],
  // Each point has its own limit; this one is for what is around them.
  timeLimit: ({ timeout }) => timeout + 0.9,
  places: ({ mountpoints }) => mountpoints.map(placeOf),
  async run(context, { mountpoints, timeout }) {
    context.log('INFO', `timeout set to ${timeout}`)
    const mounts = readMounts()
    const byDevice = Map.groupBy(mountpoints, (point) => mountOf(placeOf(point), mounts)?.device)
    // File systems do not wait for each other; the points of one share a child, and one that hangs speaks for the rest.
    const failures = await Promise.all([...byDevice.values()].map((points) => lookInto(context, points, timeout)))
    const [failure] = failures.flat()
    if (failure !== undefined) throw failure
  },
})

async function lookInto(
  context: ProbeContext,
  points: readonly string[],
  timeout: number,
): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (const point of points) {
    const place = placeOf(point)
    try {
      const found = await context.isolated(
        'list',
        { path: place, atMost: 100 },
        { path: place, timeoutMs: timeout * 1000 },
      )
      context.measure({ name: 'list_seconds', value: found.seconds, unit: 's' })
      context.log('INFO', `mount point ${point} tested`)
    } catch (error) {
      failures.push(error)
      const late = (error as { code?: string }).code === 'PROBE_TIMEOUT'
      context.log('ERROR', late ? `${point}: check_mount took too long` : messageOf(error))
      if (late) break
    }
  }
  return failures
}
