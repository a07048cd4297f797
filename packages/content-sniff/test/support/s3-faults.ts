import { ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import { createUploader, SniffError, type Upload } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'

import { png } from '../corpus/binary-samples.ts'
import { zip } from '../corpus/zip-builder.ts'
import { type Fault, type FaultProxy } from './fault-proxy.ts'
import { type TestBucket } from './s3-server.ts'
import { noise } from './store-contract.ts'

const FAULTS: readonly Fault[] = ['refuse', 'lose-answer', 'error-500', 'error-503', 'cut-answer']

/** Faults after which the server did its part, and only we do not know. */
const SILENT: readonly (Fault | undefined)[] = ['lose-answer', 'cut-answer']

/** A picture of any size: one more chunk of noise in front of its data. */
const picture = (bytes: number): Buffer => png(2, [['noIs', noise(bytes)]])
const SHORT = picture(20_000)
const LONG = picture(5_600_000)
const EXCESS = noise(8 * 1024 * 1024)

/** What {@link injectFaults} needs to know of a server. */
export interface Victim {
  readonly server: TestBucket
  /** Stands in front of the server. */
  readonly proxy: FaultProxy
  /** Talks to the proxy. */
  readonly client: S3Client
  readonly conditionalWrites: boolean
  /** Whether it tells which uploads are unfinished: without that, one whose very name got lost cannot be found again. */
  readonly listsUploads: boolean
}

/** What became of all rounds. */
export interface Outcomes {
  /** Each way of ending that was met. */
  readonly met: readonly string[]
  /** Rounds that left something behind, or stored something else than what was sent. */
  readonly failures: readonly string[]
}

/** Every way of ending: a run that met all of them met enough. */
export const EVERY_OUTCOME = [
  'SNIFF_ABORTED',
  'SNIFF_REJECTED',
  'SNIFF_SOURCE_FAILED',
  'SNIFF_STORE_FAILED',
  'SNIFF_TOO_LARGE',
  'stored',
]

/** Uploads again and again while requests are lost or refused, sources break, callers give up and policies refuse. */
export async function injectFaults(victim: Victim, rounds: number): Promise<Outcomes> {
  const { server, proxy, client, conditionalWrites } = victim
  const store = new S3Store({ client, bucket: server.bucket, conditionalWrites })
  const uploads = createUploader({ store, policy: { maxBytes: EXCESS.length } })
  const met = new Set<string>()
  const failures: string[] = []

  for (let round = 0; round < rounds; round += 1) {
    const roll = dice(round + 1)
    const long = roll(5) === 0
    const bytes = long ? LONG : SHORT
    const at = roll(bytes.length)
    const kind = roll(7)
    const controller = new AbortController()
    const first = roll(long ? 7 : 3)
    const howMany = 1 + roll(4)
    const fault = FAULTS[roll(FAULTS.length)]
    proxy.plan((number, method, target) => {
      const hit = kind <= 2 && number >= first && number < first + howMany
      const names = method === 'POST' && target.includes('?uploads')
      return hit && (victim.listsUploads || !names || !SILENT.includes(fault)) ? fault : undefined
    })
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
    met.add(outcome)
    // What retries got through is there, whole; of everything else nothing is.
    const stored = refused ? undefined : (result as Upload)
    const size = stored === undefined ? whole.length : (await store.head(stored.key))?.size
    if (stored !== undefined) await store.delete(stored.key)
    if (size !== whole.length || !(await isEmpty(victim))) {
      failures.push(
        `round ${round}: ${outcome}, kind ${kind}, ${String(fault)} at ${first} × ${howMany}, ${String(size)} of ${whole.length}`,
      )
    }
  }
  return { met: [...met].sort(), failures }
}

async function isEmpty({ server, listsUploads }: Victim): Promise<boolean> {
  if (listsUploads) {
    const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: server.bucket }))
    if (Uploads.length > 0) return false
  }
  return server.isClean()
}

/** A small generator with a seed, so that a failing round can be run again. */
function dice(seed: number): (sides: number) => number {
  let state = seed * 2_654_435_761
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return (state >>> 7) % sides
  }
}
