import path from 'node:path'

import { names, seconds } from '../../config/params.ts'
import { messageOf } from '../../errors.ts'
import { defineProbe } from '../probe.ts'

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
    const attempts = await Promise.allSettled(
      mountpoints.map(async (point) => {
        const started = performance.now()
        const place = placeOf(point)
        try {
          await context.isolated('list', { path: place, atMost: 100 }, { path: place, timeoutMs: timeout * 1000 })
          context.measure({ name: 'list_seconds', value: (performance.now() - started) / 1000, unit: 's' })
          context.log('INFO', `mount point ${point} tested`)
        } catch (error) {
          const late = (error as { code?: string }).code === 'PROBE_TIMEOUT'
          context.log('ERROR', late ? `${point}: check_mount took too long` : messageOf(error))
          throw error
        }
      }),
    )
    for (const attempt of attempts) if (attempt.status === 'rejected') throw attempt.reason
  },
})
