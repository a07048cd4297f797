import path from 'node:path'

import { loadConfig } from '../config/load.ts'
import { ProbeError } from '../errors.ts'
import { serveStatus } from '../watch/server.ts'
import { Watcher } from '../watch/watcher.ts'
import { parseWords } from './args.ts'
import type { Surroundings } from './surroundings.ts'
import { untilInterrupt } from './interrupt.ts'

/** `swan-probe watch -c FILE`: runs the probes on their schedules until it is stopped, and shows them over HTTP. */
export async function watch(words: readonly string[], around: Surroundings): Promise<number> {
  const { values, positionals } = parseWords(words, {
    configfile: { type: 'string', short: 'c' },
    path: { type: 'string', short: 'p' },
  })
  if (values.configfile === undefined || positionals.length > 0) {
    throw new ProbeError('PROBE_USAGE', 'Expected watch -c FILE')
  }
  const config = loadConfig(path.resolve(around.cwd, values.configfile), {
    base: around.cwd,
    userPath: values.path === undefined ? undefined : path.resolve(around.cwd, values.path),
    env: around.env,
  })
  if (config.entries.length === 0)
    throw new ProbeError('PROBE_CONFIG', 'The file names no probe, so there is nothing to watch')
  const has = (id: string) => config.entries.some((entry) => entry.probe.id === id)
  if (has('jupyterhub_api.create_session') && !has('jupyterhub_api.stop_session')) {
    throw new ProbeError(
      'PROBE_CONFIG',
      'The file has create_session and no stop_session: the second run would find the session of the first',
    )
  }
  using interrupt = untilInterrupt()
  const watcher = new Watcher(config)
  await using server = await serveStatus(watcher, config.watch)
  process.stdout.write(`Watching ${config.entries.length} probes on ${server.url}\n`)
  await watcher.run(interrupt.signal)
  return 0
}
