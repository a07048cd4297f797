import { describeWith, ensurePostgresImage } from '@org/services'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { dockerCleanup, type DockerCleanup } from '../../src/testing/index.ts'
import { roomyTmpfs } from '../provisioner/fixtures.ts'
import { type Arena, crash, crashAt, races, twins } from './chaos.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

await describeWith('docker', 'chaos, a short part of the long run', () => {
  let cleanup: DockerCleanup
  let arena: Arena
  beforeAll(async () => {
    cleanup = await dockerCleanup({ suite: 'container-pg-chaos-test', tmpDir: roomyTmpfs() })
    arena = { root: await cleanup.folder(), image: await ensurePostgresImage(), labels: cleanup.labels }
  })
  afterAll(() => cleanup[Symbol.asyncDispose]())

  const well = { lost: 0, orphans: 0, bricked: false }

  test.each([
    ['container', { after: 'start', ms: 1200 }],
    ['container', { after: 'created', ms: 200 }],
  ] as const)('killing the %s at %j loses nothing', async (victim, moment) => {
    expect(await crash(arena, victim, moment, `${victim}-${moment.after}-${moment.ms}`)).toMatchObject(well)
  })

  test.each([
    ['before', 'making the container', /^POST \/containers\/create/],
    ['after', 'making the container', /^POST \/containers\/create/],
    ['after', 'its start', /^POST \/containers\/\w+\/start/],
    ['before', 'the last step of a create', /^POST \/containers\/\w+\/update/],
    ['after', 'a stop', /^POST \/containers\/\w+\/stop/],
    ['before', 'a removal', /^DELETE \/containers\//],
  ] as const)(
    'a service killed %s %s leaves nothing that one reconcile does not put right',
    async (cut, what, step) => {
      expect(await crashAt(arena, step, cut, `${cut}-${what.replaceAll(' ', '-')}`)).toEqual(well)
    },
  )

  test('two processes that ask for the same server get the same server', async () => {
    expect(await twins(arena)).toEqual({ outcomes: ['OK', 'OK'], containers: 1 })
  })

  test('two processes that want one folder: one gets it, the other is told so', async () => {
    for await (const report of races(arena, 3)) expect(report).toMatchObject({ winners: 1, refusal: 'STORAGE_IN_USE' })
  })
})
