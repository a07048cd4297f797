import { describeWith } from '@org/services'
import { expect, test } from 'vitest'

import { runChaos } from '../bench/chaos/run.ts'
import { openWorld } from './support/world.ts'

test('postgres: kills cost no job and double no effect', { timeout: 120_000 }, () => survives('postgres'))
await describeWith('redis', 'with Redis', () => {
  test('redis: kills cost no job and double no effect', { timeout: 120_000 }, () => survives('redis'))
})

/** The short form of `pnpm chaos`, with a fixed seed. */
async function survives(driver: 'postgres' | 'redis'): Promise<void> {
  await using world = await openWorld()
  const result = await runChaos({ driver, url: world.url, jobs: 200, kills: 4, seed: 7, settleMs: 1500 })
  expect(result).toMatchObject({ lost: 0, doubled: 0 })
}
