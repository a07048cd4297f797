import { describeWith, ensurePostgresImage } from '@org/services'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { dockerCleanup, type DockerCleanup } from '../../src/testing/index.ts'
import { roomyTmpfs } from '../provisioner/fixtures.ts'
import { type Arena, crash, races } from './chaos.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

await describeWith('docker', 'chaos, a short part of the long run', () => {
  let cleanup: DockerCleanup
  let arena: Arena
  beforeAll(async () => {
    cleanup = await dockerCleanup({ suite: 'container-pg-chaos-test', tmpDir: roomyTmpfs() })
    arena = { root: await cleanup.folder(), image: await ensurePostgresImage(), labels: cleanup.labels }
  })
  afterAll(() => cleanup[Symbol.asyncDispose]())

  test.each([
    ['provisioner', { after: 'start', ms: 800 }],
    ['provisioner', { after: 'start', ms: 1600 }],
    ['provisioner', { after: 'created', ms: 250 }],
    ['container', { after: 'start', ms: 1200 }],
    ['container', { after: 'created', ms: 200 }],
  ] as const)('killing the %s at %j loses nothing', async (victim, moment) => {
    expect(await crash(arena, victim, moment, `${victim}-${moment.after}-${moment.ms}`)).toMatchObject({
      lost: 0,
      orphans: 0,
      bricked: false,
    })
  })

  test('two processes that want one folder: one gets it, the other is told so', async () => {
    for await (const report of races(arena, 3)) expect(report).toMatchObject({ winners: 1, refusal: 'STORAGE_IN_USE' })
  })
})
