import path from 'node:path'

import type { Config } from '../config/config.ts'
import { createProcessSpawner } from './process-spawner.ts'
import { singleUserCommand } from './single-user-command.ts'
import type { Spawner } from './spawner.ts'

/** A spawner, and what its command needs in the environment. */
export interface ConfiguredSpawner {
  readonly spawner: Spawner
  readonly env: Readonly<Record<string, string>>
}

const makers: Readonly<
  Record<Spawner['kind'], (config: Config, hubId: string) => ConfiguredSpawner | Promise<ConfiguredSpawner>>
> = {
  process(config, hubId) {
    const { command, args, ip, home, run_as: runAs } = config.spawner
    const { command: resolved, env } = singleUserCommand(command, args)
    const spawner = createProcessSpawner({
      command: resolved,
      ip,
      homes: home ?? path.join(config.data_dir, 'homes'),
      logs: path.join(config.data_dir, 'logs'),
      hubId,
      runAs,
      memLimitBytes: memoryBytes(config),
      interruptMs: config.spawner.interrupt_timeout * 1000,
      termMs: config.spawner.term_timeout * 1000,
    })
    return { spawner, env }
  },

  async docker(config, hubId) {
    const { createDockerSpawner } = await import('./docker-spawner.ts')
    const { command, args } = config.spawner
    const { image = '', network, home_target: homeTarget, user, socket } = config.docker
    const spawner = createDockerSpawner({
      socket,
      image,
      network,
      homeTarget,
      user,
      // What is installed here says nothing about the image.
      command: [...(command[0] === 'auto' ? ['jupyterhub-singleuser'] : command), ...args],
      readOnlyMounts: config.docker.read_only_mounts,
      memLimitBytes: memoryBytes(config),
      cpuLimit: config.spawner.cpu_limit,
      pidsLimit: config.docker.pids_limit,
      logs: path.join(config.data_dir, 'logs'),
      hubId,
      stopSeconds: Math.ceil(config.spawner.interrupt_timeout),
    })
    return { spawner, env: {} }
  },
}

/** Makes the spawner that a configuration asks for. */
export async function createSpawner(config: Config, hubId: string): Promise<ConfiguredSpawner> {
  return makers[config.spawner.kind](config, hubId)
}

/** The memory limit of one server, in bytes. */
export function memoryBytes(config: Config): number | undefined {
  const { mem_limit_mb: mib } = config.spawner
  return mib === undefined ? undefined : mib * 1024 ** 2
}
