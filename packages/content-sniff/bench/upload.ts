import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { record } from '@org/bench'
import { createUploader, DiskStore, type UploadSource } from '@org/content-sniff'

import { median, quantile } from './median.ts'

const CHUNK = { highWaterMark: 256 * 1024 }

/** How the bench is run. */
export interface UploadBench {
  readonly megabytes: number
  readonly pairs: number
  /** Folder that is written to; the file system counts. */
  readonly into: string
}

const variants = [
  ['Node stream', 'none'],
  ['web stream', 'none'],
  ['file handle', 'none'],
  ['Node stream', 'sha256'],
] as const satisfies readonly (readonly [Input, 'none' | 'sha256'])[]

type Handle = Awaited<ReturnType<typeof open>>
type Input = 'Node stream' | 'web stream' | 'file handle'

const nodeStream = (handle: Handle): Readable => handle.createReadStream({ ...CHUNK, autoClose: false })
const webStream = (handle: Handle) => Readable.toWeb(nodeStream(handle)) as ReadableStream<Uint8Array>

/**
 * Prints what an upload costs beside a plain pipeline with one flush, in pairs, one after the other.
 *
 * Many short pairs tell more than a few long ones: what else the machine does comes and goes within seconds, and only
 * what is measured side by side shares it.
 */
export async function uploadOverhead({ megabytes, pairs, into }: UploadBench): Promise<void> {
  const folder = await mkdtemp(path.join(into, 'content-sniff-bench-'))
  const source = path.join(folder, 'source')

  /** What one would write without us: the same source, one flush. */
  const plain = (input: Input) => async (): Promise<void> => {
    const target = path.join(folder, 'plain')
    const handle = await open(source)
    await pipeline(input === 'web stream' ? webStream(handle) : nodeStream(handle), createWriteStream(target))
    await handle.close()
    const written = await open(target, 'r+')
    await written.sync()
    await written.close()
    await rm(target)
  }

  const uploaded = (input: Input, digest: 'none' | 'sha256') => async (): Promise<void> => {
    const store = new DiskStore({ root: path.join(folder, 'store') })
    const uploads = createUploader({ store, policy: { maxBytes: Number.POSITIVE_INFINITY }, digest })
    const handle = await open(source)
    const sources: Record<Input, () => UploadSource> = {
      'Node stream': () => nodeStream(handle),
      'web stream': () => webStream(handle),
      'file handle': () => handle,
    }
    await uploads.delete((await uploads.put(sources[input]())).key)
    await handle.close()
  }

  try {
    await pipeline(Readable.from(lines(megabytes)), createWriteStream(source))
    console.log(`upload of ${megabytes} MB into ${into}, median of ${pairs} pairs with a plain pipeline:`)
    for (const [input, digest] of variants) {
      const theirs = plain(input)
      const ours = uploaded(input, digest)
      for (let round = 0; round < 2; round += 1) {
        await theirs()
        await ours()
      }
      const ratios: number[] = []
      const own: number[] = []
      const peer: number[] = []
      for (let pair = 0; pair < pairs; pair += 1) {
        // Whoever comes second may find a fuller cache or disk; both take turns.
        const before = pair % 2 === 0 ? await wall(theirs) : undefined
        own.push(await wall(ours))
        peer.push(before ?? (await wall(theirs)))
        ratios.push((own.at(-1) ?? NaN) / (peer.at(-1) ?? NaN))
      }
      record({
        title: `upload of a ${input}${digest === 'none' ? '' : `, digest ${digest}`}: wall time`,
        ratio: median(ratios),
        range: [Math.min(...ratios), Math.max(...ratios)],
        ...(digest === 'none' && { goal: { atMost: 1.05 } }),
        peer: { name: "Node's pipeline, one flush", version: process.versions.node },
      })
      // The best of each is what is left when neighbours of this machine keep quiet.
      const best = Math.min(...own) / Math.min(...peer)
      const middle = `${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}`
      console.log(
        `  ${input}, digest ${digest}: ${median(ratios).toFixed(3)} of the pipeline's ${median(peer).toFixed(0)} ms (half of the pairs ${middle}), best to best ${best.toFixed(3)}`,
      )
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* lines(megabytes: number): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(1024 * 1024, 'some text, and more of it; ')
  for (let count = 0; count < megabytes; count += 1) yield chunk
}

async function wall(work: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}
