import { statfs } from 'node:fs/promises'

import { dockerEngine } from '../engine/docker.ts'
import { freePort } from '../internal/free-port.ts'
import { createProvisioner } from '../provisioner.ts'
import type { World } from './world.ts'

/** What to look at. */
export interface Patient {
  readonly root: string
  readonly image: string | undefined
}

const TIMEOUT_MS = 5000
const LITTLE_SPACE_BYTES = 1 << 30

type Finding = { readonly good: boolean; readonly text: string }

/**
 * Says what is wrong with the engine, the image, the ports, the storage root and the servers in it.
 *
 * @returns 0 when everything is well, 1 otherwise.
 */
export async function diagnose({ root, image = 'postgres:17' }: Patient, { out }: World): Promise<number> {
  const engine = dockerEngine(undefined, TIMEOUT_MS)
  const findings: Finding[] = [
    await check('engine', async () => `answers: ${await engine.version()}`),
    await check('image', async () => {
      const facts = await engine.image(image)
      if (facts === undefined) throw new Error(`${image} is not there; fetch it: docker pull ${image}`)
      return `${image}, Postgres ${facts.major ?? 'of unknown version'}`
    }),
    await check('ports', async () => `127.0.0.1:${await freePort()} can be had`),
    await check('storage root', async () => {
      await createProvisioner({ storageRoot: root })
      const { bavail, bsize } = await statfs(root)
      const free = bavail * bsize
      if (free < LITTLE_SPACE_BYTES) throw new Error(`${root} has only ${Math.floor(free / 2 ** 20)} MiB left`)
      return `${root}, ${Math.floor(free / 2 ** 30)} GiB left`
    }),
    ...(await servers(root)),
  ]
  for (const { good, text } of findings) out(`${good ? '✓' : '✗'} ${text}\n`)
  return findings.every(({ good }) => good) ? 0 : 1
}

async function servers(root: string): Promise<Finding[]> {
  try {
    const provisioner = await createProvisioner({ storageRoot: root, engineTimeoutMs: TIMEOUT_MS })
    return (await provisioner.list()).map(({ name, state, port, storageDir }) => {
      const good = state === 'running' || state === 'stopped'
      const remedy = good ? '' : `; see: container-pg logs ${name}, then: container-pg start ${name}`
      return { good, text: `server ${name}: ${state}, port ${port}, ${storageDir}${remedy}` }
    })
  } catch {
    // The engine's or the root's own line says why.
    return []
  }
}

async function check(what: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { good: true, text: `${what}: ${await look()}` }
  } catch (error) {
    const { message, remedy } = error as { message: string; remedy?: string }
    return { good: false, text: `${what}: ${message}${remedy === undefined ? '' : `. ${remedy}`}` }
  }
}
