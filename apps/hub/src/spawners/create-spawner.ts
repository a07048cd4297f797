import path from 'node:path'

import type { Config } from '../config/config.ts'
import { createProcessSpawner } from './process-spawner.ts'
import { singleUserCommand } from './single-user-command.ts'
import type { Spawner } from './spawner.ts'

/** The spawner that a configuration asks for, and what its command needs in the environment. */
export function createSpawner(
  config: Config,
  hubId: string,
): { readonly spawner: Spawner; readonly env: Readonly<Record<string, string>> } {
  const { command, args, mem_limit_mb: mib } = config.spawner
  const { command: resolved, env } = singleUserCommand(command, args)
  const spawner = createProcessSpawner({
    command: resolved,
    ip: config.spawner.ip,
    homes: config.spawner.home ?? path.join(config.data_dir, 'homes'),
    logs: path.join(config.data_dir, 'logs'),
    hubId,
    runAs: config.spawner.run_as,
    memLimitBytes: mib === undefined ? undefined : mib * 1024 ** 2,
    interruptMs: config.spawner.interrupt_timeout * 1000,
    termMs: config.spawner.term_timeout * 1000,
  })
  return { spawner, env }
}
