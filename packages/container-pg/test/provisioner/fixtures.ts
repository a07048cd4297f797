import { rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

import { ensurePostgresImage } from '@org/services'
import Docker from 'dockerode'
import { Client } from 'pg'
import { afterAll, onTestFinished } from 'vitest'

import { createProvisioner, type Provisioner, type ProvisionerOptions, type Server } from '../../src/index.ts'
import { type DockerCleanup, dockerCleanup } from '../../src/testing/index.ts'

export const docker = new Docker()
export const PASSWORD = 'correct horse'

let cleanup: DockerCleanup | undefined

afterAll(async () => {
  const left = cleanup === undefined ? [] : await labelled(cleanup)
  await cleanup?.[Symbol.asyncDispose]()
  if (left.length > 0) throw new Error(`The tests left containers: ${left.map(({ Names }) => Names[0]).join(', ')}`)
})

/** Labels and folders of this file's run; what a killed run left goes at the start of the next. */
export async function runOfThisFile(): Promise<DockerCleanup> {
  cleanup ??= await dockerCleanup({ suite: 'container-pg-tests', tmpDir: roomyTmpfs() })
  return cleanup
}

/** Memory where there is enough of it: a hundred first starts wait for the disk otherwise. */
export function roomyTmpfs(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > 2 ** 30 ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}

function labelled({ labels }: DockerCleanup): Promise<Docker.ContainerInfo[]> {
  const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return docker.listContainers({ all: true, filters: { label } })
}

/** A provisioner on a storage root of its own; both go away with the test, and every container with them. */
export async function freshProvisioner(options: Partial<ProvisionerOptions> = {}): Promise<{
  provisioner: Provisioner
  root: string
  again: (more?: Partial<ProvisionerOptions>) => Promise<Provisioner>
}> {
  const run = await runOfThisFile()
  const root = await run.folder()
  onTestFinished(async () => {
    await removeContainers(root)
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  })
  const image = await ensurePostgresImage()
  const again = (more: Partial<ProvisionerOptions> = {}) =>
    createProvisioner({ storageRoot: root, image, labels: run.labels, ...options, ...more })
  return { provisioner: await again(), root, again }
}

/** Containers of a storage root, as the engine describes them. */
export async function containersOf(root: string): Promise<Docker.ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label: [`container-pg.root=${root}`] } })
}

async function removeContainers(root: string): Promise<void> {
  for (const { Id } of await containersOf(root)) {
    await docker
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch(() => {})
  }
}

/** Runs one statement as administrator through the published port. */
export async function query<Row extends Record<string, unknown>>(
  server: Pick<Server, 'connection'>,
  text: string,
  password = PASSWORD,
  database = 'postgres',
): Promise<Row[]> {
  const client = new Client({ ...server.connection, database, password })
  // A connection that breaks says so twice: here, and to who waits for an answer.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
