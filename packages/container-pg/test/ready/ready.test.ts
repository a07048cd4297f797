import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { freshProvisioner } from '../provisioner/fixtures.ts'
import { freshAndAgain } from './false-ready.ts'

vi.setConfig({ testTimeout: 90_000 })

await describeWith('docker', 'ready, a short part of the long run', () => {
  test('means that one gets in at that moment, after three logins at most', async () => {
    const { provisioner } = await freshProvisioner()
    for (const name of ['a', 'b', 'c']) {
      for (const report of Object.values(await freshAndAgain(provisioner, name))) {
        expect(report.falselyReady).toBe(false)
        expect(report.logins).toBeLessThanOrEqual(3)
      }
    }
  })
})
