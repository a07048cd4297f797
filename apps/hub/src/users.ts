import { RequestError } from './errors.ts'
import type { Hub } from './hub.ts'
import { serversOf } from './store/spawners.ts'
import { deleteUser, type User } from './store/users.ts'

/**
 * Removes a user with account, tokens and servers; running servers are stopped first.
 *
 * @throws {@link RequestError} 400 while one of his servers starts or stops.
 */
export async function deleteUserCompletely(hub: Hub, user: User): Promise<void> {
  const stored = await serversOf(hub.db, [user.id])
  for (const { spawner } of stored) {
    const phase = hub.servers.phase(user.id, spawner.name)
    if (phase === 'spawn') throw new RequestError(400, `${user.name}'s server is starting, please wait.`)
    if (phase === 'stop') {
      throw new RequestError(400, `${user.name}'s server is in the process of stopping, please wait.`)
    }
  }
  for (const { spawner } of stored) hub.servers.stop(user, spawner.name)
  const waitMs = hub.config.spawner.slow_spawn_timeout * 1000
  await Promise.all(stored.map(({ spawner }) => hub.servers.settled(user.id, spawner.name, waitMs)))
  if (hub.servers.hasActive(user.id)) {
    throw new RequestError(400, `${user.name}'s server is in the process of stopping, please wait.`)
  }
  await hub.accounts.discard(user.name)
  await deleteUser(hub.db, user)
}
