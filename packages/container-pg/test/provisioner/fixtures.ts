import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { ensurePostgresImage } from '@org/services'
import Docker from 'dockerode'
import { Client } from 'pg'
import { onTestFinished } from 'vitest'

import { createProvisioner, type Provisioner, type ProvisionerOptions, type Server } from '../../src/index.ts'

export const docker = new Docker()
export const PASSWORD = 'correct horse'

/** Label of everything that this file's tests make. */
export const runLabel = { 'container-pg.test': randomUUID() }

/** A provisioner on a storage root of its own; both go away with the test, and every container with them. */
export async function freshProvisioner(options: Partial<ProvisionerOptions> = {}): Promise<{
  provisioner: Provisioner
  root: string
  again: (more?: Partial<ProvisionerOptions>) => Promise<Provisioner>
}> {
  const root = mkdtempSync(path.join(tmpdir(), 'cpg-root-'))
  onTestFinished(async () => {
    await removeContainers(root)
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  })
  const image = await ensurePostgresImage()
  const again = (more: Partial<ProvisionerOptions> = {}) =>
    createProvisioner({ storageRoot: root, image, labels: runLabel, ...options, ...more })
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
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
