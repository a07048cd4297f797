import { lstat, stat } from 'node:fs/promises'

import type { ContainerFacts, ImageFacts } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import { sameFolder, type StorageFolder } from '../storage/folder.ts'
import type { ServerRecord } from '../storage/records.ts'
import { containerName, type Context, LABEL } from './context.ts'
import { EXIT_LOCKED, EXIT_NO_FLOCK } from './ready.ts'

const LOCK_TARGET = '/container-pg.lock'

/**
 * First process of every container: locks the folder's file and becomes the image's own entry. The kernel holds the lock as
 * long as any process of the server lives, and frees it on every kind of end. The words are constant; nothing of a user's is in
 * them.
 */
const GUARD = [
  `exec 9<${LOCK_TARGET}`,
  `flock -n 9; case $? in 0) ;; 1) exit ${EXIT_LOCKED};; *) exit ${EXIT_NO_FLOCK};; esac`,
  'exec "$@"',
].join('; ')

const PORT_TRIES = 5
const RESTARTS = 3

/** What a launch needs beside the record. */
export interface Launch {
  readonly record: ServerRecord
  readonly folder: StorageFolder
  readonly image: ImageFacts
  /** Tells this launch's containers from those of another provisioner. */
  readonly attempt: string
  /** Variables for a first start, empty for existing data. */
  readonly env: Readonly<Record<string, string>>
  /** Done between making a container, which nobody else then can, and starting it. */
  readonly prepare: () => Promise<void>
  /** Whether another port may be taken when this one is held. */
  readonly portIsFree: boolean
}

/** Makes and starts a server's container. Leaves none when it throws, as far as the engine can be asked. */
export async function launch(context: Context, wanted: Launch): Promise<{ container: ContainerFacts; port: number }> {
  const { engine } = context
  const { folder, image, portIsFree } = wanted
  let { port } = wanted.record
  for (let left = PORT_TRIES; ; left -= 1) {
    const id = await createContainer(context, wanted, port)
    try {
      await wanted.prepare()
      if ((await engine.start(id)) === 'port-taken') {
        await engine.remove(id)
        if (!portIsFree || left === 1) throw await portTaken(context, port)
        port = await context.choosePort()
        continue
      }
      const container = await engine.inspect(id)
      if (container === undefined) {
        throw new ContainerPgError('SERVER_FAILED', `The container of ${wanted.record.name} vanished`)
      }
      await checkMounted(folder, container, image)
      return { container, port }
    } catch (error) {
      await engine.remove(id).catch(() => {})
      throw error
    }
  }
}

/** Lets the engine bring a ready server back after a crash, a few times only. */
export async function keepAlive(context: Context, id: string): Promise<void> {
  await context.engine.restartOnFailure(id, RESTARTS)
}

async function createContainer(
  context: Context,
  { record, folder, image, env, attempt }: Launch,
  port: number,
): Promise<string> {
  const name = containerName(folder.identity)
  const made = await context.engine.create({
    name,
    attempt,
    image: record.image,
    entrypoint: ['/bin/sh', '-c', GUARD, 'sh', ...image.entrypoint],
    command: ['postgres', ...Object.entries(record.settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    env,
    labels: {
      ...context.labels,
      [LABEL.name]: record.name,
      [LABEL.root]: context.root,
      [LABEL.storage]: folder.identity,
    },
    uid: folder.uid,
    gid: folder.gid,
    mounts: [
      { source: folder.mounted.pgdata, target: image.volume, readOnly: false },
      { source: folder.mounted.lockFile, target: LOCK_TARGET, readOnly: true },
    ],
    port,
    memoryBytes: (record.limits.memoryMiB ?? 512) * 2 ** 20,
    cpus: record.limits.cpus,
    pids: record.limits.pids ?? 256,
  })
  if (made !== 'name-taken') return made.id
  throw new ContainerPgError('STORAGE_IN_USE', `The container ${name} of the folder ${folder.path} exists already`, {
    remedy: 'Another provisioner works on this folder; let it finish.',
  })
}

/** The name was checked before; between the check and the mount somebody could have put another folder there. */
async function checkMounted(folder: StorageFolder, container: ContainerFacts, image: ImageFacts): Promise<void> {
  let same = await sameFolder(folder)
  if (same && container.pid !== undefined) {
    try {
      for (const [target, source] of [
        [image.volume, folder.pgdata],
        [LOCK_TARGET, folder.lockFile],
      ] as const) {
        const inside = await stat(`/proc/${container.pid}/root${target}`)
        // A link in its place would be mounted as what it leads to.
        const outside = await lstat(source)
        same &&= inside.ino === outside.ino && inside.dev === outside.dev
      }
    } catch {
      // Only root may look through that door; the name still leads to the folder that was opened.
    }
  }
  if (!same) {
    throw new ContainerPgError('STORAGE_REFUSED', `The folder ${folder.path} was exchanged during the start`, {
      remedy: 'Find out who may write to the storage root.',
    })
  }
}

async function portTaken(context: Context, port: number): Promise<ContainerPgError> {
  const running = await context.engine.list({ running: true }).catch(() => [])
  const holder = running.find((container) => container.ports.includes(port))
  const by = holder === undefined ? 'another program' : `the container ${holder.labels[LABEL.name] ?? holder.name}`
  return new ContainerPgError('PORT_TAKEN', `Port ${port} on 127.0.0.1 is held by ${by}`, {
    remedy: 'Choose another port, or leave it out.',
  })
}
