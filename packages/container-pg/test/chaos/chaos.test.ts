import { describeWith, ensurePostgresImage } from '@org/services'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { dockerCleanup, type DockerCleanup } from '../../src/testing/index.ts'
import { type Arena, crash, races } from './chaos.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

await describeWith('docker', 'chaos, a short part of the long run', () => {
  let cleanup: DockerCleanup
  let arena: Arena
  beforeAll(async () => {
    cleanup = await dockerCleanup({ suite: 'container-pg-chaos-test' })
    arena = { root: await cleanup.folder(), image: await ensurePostgresImage() }
  })
  afterAll(() => cleanup[Symbol.asyncDispose]())

  test.each([
    ['provisioner', 700],
    ['provisioner', 1400],
    ['provisioner', 2600],
    ['container', 1000],
    ['container', 2200],
  ] as const)('killing the %s after %i ms loses nothing', async (victim, atMs) => {
    expect(await crash(arena, victim, atMs, `${victim}-${atMs}`)).toMatchObject({ lost: 0, orphans: 0, bricked: false })
  })

  test('two processes that want one folder: one gets it, the other is told so', async () => {
    for await (const report of races(arena, 3)) expect(report).toMatchObject({ winners: 1, refusal: 'STORAGE_IN_USE' })
  })
})
