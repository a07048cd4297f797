import type { DatabasePool } from '@org/container-pg/testing'
import type {} from '@org/services'
import { afterAll, beforeAll, inject, vi } from 'vitest'

import type { Api } from '../../src/create-service.ts'
import { openPool, openWorld, type Settings, type World } from './world.ts'

/** A pool for the tests of a file; call at its top. */
export function usePool(content: 'people' | 'conference'): {
  readonly open: (used?: Api, settings?: Settings) => Promise<World>
} {
  // Real servers on a busy machine: a test that takes long is slow, not wrong.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })
  let pool: DatabasePool
  beforeAll(async () => {
    pool = await openPool(inject('postgresUrl'), content)
  }, 120_000)
  afterAll(() => pool[Symbol.asyncDispose](), 60_000)
  return {
    open: async (used, settings) => {
      const database = await pool.acquire()
      const world = await openWorld(database.url, used, settings)
      return {
        ...world,
        [Symbol.asyncDispose]: async () => {
          await world[Symbol.asyncDispose]()
          await database[Symbol.asyncDispose]()
        },
      }
    },
  }
}
