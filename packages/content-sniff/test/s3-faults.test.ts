import { expect, test } from 'vitest'

import { faultProxy } from './support/fault-proxy.ts'
import { EVERY_OUTCOME, injectFaults } from './support/s3-faults.ts'
import { clientFor, fauxBucket } from './support/s3-server.ts'

test('200 faults leave no object and no part behind', async () => {
  await using server = await fauxBucket()
  await using proxy = await faultProxy(server.endpoint)
  const client = clientFor(proxy.endpoint)
  const { met, failures } = await injectFaults(
    { server, proxy, client, conditionalWrites: true, listsUploads: false },
    200,
  )
  client.destroy()
  expect(failures).toEqual([])
  expect(met).toEqual(EVERY_OUTCOME)
}, 240_000)
