import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { DockerConnection } from '../engine/docker.ts'
import { type Labelled, labelledThings } from '../engine/labelled.ts'
import { tryLock } from '../internal/kernel-lock.ts'

/** Options of {@link dockerCleanup}. */
export interface DockerCleanupOptions {
  /** Name of the suite: letters, digits, `-`, `_`, at most 40. Only what carries it is ever touched. */
  readonly suite: string
  /** How to reach the engine. @default the environment, else the usual local socket */
  readonly docker?: DockerConnection
  /** Where the run's folders are made, such as `/dev/shm` for speed. @default the system's temporary folder */
  readonly tmpDir?: string
}

/** One run of a suite; disposing removes what it made. */
export interface DockerCleanup extends AsyncDisposable {
  /** Labels to give to every container, volume and network of the run. */
  readonly labels: Readonly<Record<string, string>>
  /** Makes a temporary folder that goes with the run. */
  folder(): Promise<string>
}

const SUITE = 'container-pg.suite'
const RUN = 'container-pg.run'

/**
 * Removes what earlier runs of a suite left, and at its end what this run left: containers with their unnamed volumes, named
 * volumes, networks, folders.
 *
 * A run that was killed is recognised by its lock, which the kernel frees, so runs at the same time leave each other alone.
 *
 * @throws TypeError when `suite` is no usable name. Errors of the engine are passed on.
 * @example
 * await using cleanup = await dockerCleanup({ suite: 'billing' })
 * const provisioner = await createProvisioner({ storageRoot: await cleanup.folder(), labels: cleanup.labels })
 */
export async function dockerCleanup(options: DockerCleanupOptions): Promise<DockerCleanup> {
  const { suite, docker: connection, tmpDir = tmpdir() } = options
  if (!/^[\w-]{1,40}$/.test(suite))
    throw new TypeError(`Expected \`suite\` to be letters, digits, - and _, got \`${suite}\``)
  const engine = labelledThings(connection)
  const run = randomUUID()
  const lock = await tryLock(lockOf(run))
  if (lock === undefined) throw new Error('Expected a fresh run id to be free')
  await using stack = new AsyncDisposableStack()
  stack.use(lock)
  for (const old of await runsOf(engine, suite, tmpDir)) {
    await using dead = await tryLock(lockOf(old))
    if (dead !== undefined) await removeRun(engine, suite, tmpDir, old)
  }
  stack.defer(() => removeRun(engine, suite, tmpDir, run))
  const held = stack.move()
  let ending: Promise<void> | undefined
  return {
    labels: { [SUITE]: suite, [RUN]: run },
    folder: () => mkdtemp(path.join(tmpDir, `${folderPrefix(suite)}${run}-`)),
    [Symbol.asyncDispose]: () => (ending ??= held.disposeAsync()),
  }
}

const lockOf = (run: string): string => `run ${run}`
const folderPrefix = (suite: string): string => `container-pg-${suite}.`

async function runsOf(engine: Labelled, suite: string, tmpDir: string): Promise<Set<string>> {
  const folders = (await readdir(tmpDir))
    .filter((file) => file.startsWith(folderPrefix(suite)))
    .map((file) => file.slice(folderPrefix(suite).length).replace(/-[^-]*$/, ''))
  return new Set([...(await engine.values({ [SUITE]: suite }, RUN)), ...folders].filter((id) => id !== ''))
}

/** What the engine holds goes first: containers hold the folders. */
async function removeRun(engine: Labelled, suite: string, tmpDir: string, run: string): Promise<void> {
  await engine.remove({ [SUITE]: suite, [RUN]: run })
  for (const file of await readdir(tmpDir)) {
    if (!file.startsWith(`${folderPrefix(suite)}${run}-`)) continue
    await rm(path.join(tmpDir, file), { recursive: true, force: true, maxRetries: 5 })
  }
}
