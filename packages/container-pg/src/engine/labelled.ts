import Docker from 'dockerode'

import type { DockerConnection } from './docker.ts'

type Labels = Readonly<Record<string, string>>

/** Containers, volumes and networks, found by their labels alone. */
export interface Labelled {
  /** Values that a label has among what carries all the given ones. */
  values(labels: Labels, label: string): Promise<readonly string[]>
  /** Removes what carries all the given labels: containers with their unnamed volumes, then volumes, then networks. */
  remove(labels: Labels): Promise<void>
}

/** Speaks to the engine about labelled things of every kind. */
export function labelledThings(connection: DockerConnection | undefined): Labelled {
  const docker = new Docker({ ...connection })
  return {
    async values(labels, label) {
      const filters = filtersOf(labels)
      const [containers, { Volumes: volumes }, networks] = await Promise.all([
        docker.listContainers({ all: true, filters }),
        docker.listVolumes({ filters }),
        docker.listNetworks({ filters }),
      ])
      return [...containers, ...(volumes ?? []), ...networks].flatMap((thing) => thing.Labels?.[label] ?? [])
    },

    async remove(labels) {
      const filters = filtersOf(labels)
      for (const { Id } of await docker.listContainers({ all: true, filters })) {
        await unlessGone(docker.getContainer(Id).remove({ force: true, v: true }))
      }
      for (const { Name } of (await docker.listVolumes({ filters })).Volumes ?? []) {
        await unlessGone(docker.getVolume(Name).remove({ force: true }))
      }
      for (const { Id } of await docker.listNetworks({ filters })) await unlessGone(docker.getNetwork(Id).remove())
    },
  }
}

function filtersOf(labels: Labels): { label: string[] } {
  return { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) }
}

/** Another run may sweep the same things at the same moment. */
async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (![404, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) throw error
  }
}
