import { createUploader, SniffError, type Upload } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'
import { expect, test } from 'vitest'

import { png } from './corpus/binary-samples.ts'
import { zip } from './corpus/zip-builder.ts'
import { type Fault, faultProxy } from './support/fault-proxy.ts'
import { clientFor, fauxBucket } from './support/s3-server.ts'
import { noise } from './support/store-contract.ts'

const FAULTS: readonly Fault[] = ['refuse', 'lose-answer', 'error-500', 'error-503', 'cut-answer']

/** A small generator with a seed, so that a failing round can be run again. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return (state >>> 7) % sides
  }
}

/** A picture of any size: one more chunk of noise in front of its data. */
const picture = (bytes: number): Buffer => png(2, [['noIs', noise(bytes)]])
const SHORT = picture(20_000)
const LONG = picture(5_600_000)
const EXCESS = noise(8 * 1024 * 1024)

test('200 faults leave no object and no part behind', async () => {
  await using server = await fauxBucket()
  await using proxy = await faultProxy(server.endpoint)
  const client = clientFor(proxy.endpoint)
  const store = new S3Store({ client, bucket: server.bucket })
  const uploads = createUploader({ store, policy: { maxBytes: 8 * 1024 * 1024 } })
  const outcomes = new Set<string>()
  const failures: string[] = []

  for (let round = 0; round < 200; round += 1) {
    const roll = dice(round + 1)
    const long = roll(5) === 0
    const bytes = long ? LONG : SHORT
    const at = roll(bytes.length)
    const kind = roll(7)
    const controller = new AbortController()
    const first = roll(long ? 7 : 3)
    const howMany = 1 + roll(4)
    const fault = FAULTS[roll(FAULTS.length)]
    // This server cannot list unfinished uploads, so one whose very name got lost cannot be found again.
    proxy.plan((number, method, target) =>
      kind <= 2 &&
      number >= first &&
      number < first + howMany &&
      !(
        method === 'POST' &&
        target.includes('?uploads') &&
        fault !== 'refuse' &&
        fault !== 'error-500' &&
        fault !== 'error-503'
      )
        ? fault
        : undefined,
    )
    const whole = kind === 5 ? Buffer.concat([bytes, zip([{ name: 'a', data: 'b' }])]) : bytes
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < whole.length; offset += 65_536) {
        if (kind === 3 && offset >= at) throw new Error('the source broke')
        if (kind === 4 && offset >= at) controller.abort()
        yield whole.subarray(offset, offset + 65_536)
      }
      if (kind === 6) yield EXCESS
    }
    const result = await uploads
      .put(source(), { declaredType: 'image/png', signal: controller.signal })
      .catch((error: unknown) => error)
    proxy.plan(() => undefined)
    const refused = result instanceof SniffError
    if (!refused && result instanceof Error) throw result
    const outcome = refused ? result.code : 'stored'
    outcomes.add(outcome)
    // What retries got through is there, whole; of everything else nothing is.
    const stored = refused ? undefined : (result as Upload)
    const size = stored === undefined ? whole.length : (await store.head(stored.key))?.size
    if (stored !== undefined) await store.delete(stored.key)
    if (size !== whole.length || !(await server.isClean())) {
      failures.push(
        `round ${round}: ${outcome}, kind ${kind}, ${String(fault)} at ${first} × ${howMany}, ${String(size)} of ${whole.length}`,
      )
    }
  }
  client.destroy()
  // Every way of failing was met at least once.
  expect(failures).toEqual([])
  expect([...outcomes].sort()).toEqual([
    'SNIFF_ABORTED',
    'SNIFF_REJECTED',
    'SNIFF_SOURCE_FAILED',
    'SNIFF_STORE_FAILED',
    'SNIFF_TOO_LARGE',
    'stored',
  ])
}, 240_000)
