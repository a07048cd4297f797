import { once } from 'node:events'

import { loadConfig } from '../config/config.ts'
import { createLog } from '../log.ts'
import { runHub } from '../run.ts'
import type { CommandInput } from './parse.ts'

/** Runs the hub until SIGTERM, SIGINT or a shutdown over the API. */
export async function serveHub({ options, env }: CommandInput): Promise<number> {
  const config = loadConfig({ file: options.config, env })
  const log = createLog(config.log_level, (line) => process.stderr.write(line))
  for (const warning of config.warnings) log('warn', warning)
  const signals = new AbortController()
  const signal = Promise.race(
    ['SIGTERM', 'SIGINT'].map((name) => once(process, name, { signal: signals.signal }).then(() => ({}))),
  ).catch(() => ({}))
  const running = await runHub(config, log)
  process.stdout.write(`The hub is ready at ${running.url}\n`)
  const wishes = await Promise.race([running.shutdownRequested, signal])
  signals.abort()
  const { keep_servers: keep } = config.hub
  const { proxy = !keep, servers = !keep } = wishes as { readonly proxy?: boolean; readonly servers?: boolean }
  await running.stop({ proxy: !proxy, servers: !servers })
  return 0
}
