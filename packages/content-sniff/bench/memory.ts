// Streams 5 GB to S3 (an HTTP server that counts and forgets) and watches memory.
// Usage: pnpm --filter @org/content-sniff bench:memory [gigabytes]
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'

import { S3Client } from '@aws-sdk/client-s3'
import { createUploader } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'

import { remoteSink } from './sink.ts'

const gigabytes = Number(process.argv[2] ?? 5)
const chunk = Buffer.alloc(256 * 1024, `${randomUUID()} and so on\n`)
const chunks = Math.ceil((gigabytes * 1e9) / chunk.length)

// In a process of its own, so that its buffers do not count.
await using server = await remoteSink()
const client = new S3Client({
  endpoint: server.endpoint,
  region: 'x',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
})
const store = new S3Store({ client, bucket: 'b', conditionalWrites: false })
const uploads = createUploader({ store, policy: { maxBytes: Infinity } })

let worst = 0
let base = 0
async function* source(): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < chunks; count += 1) {
    if (count % 64 === 0) {
      // Memory outside the heap is given back a turn after its object is found dead.
      globalThis.gc?.()
      await new Promise((resolve) => setImmediate(resolve))
      globalThis.gc?.()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      if (count === 0) base = arrayBuffers + heapUsed
      worst = Math.max(worst, arrayBuffers + heapUsed - base)
    }
    yield chunk
  }
}
// Loads the SDK, whose modules are not the stream's.
await uploads.put(Readable.from(Array.from({ length: 30 }, () => chunk)))
const before = await server.counts()
const started = performance.now()
const { size } = await uploads.put(source())
const seconds = (performance.now() - started) / 1000
client.destroy()
const { received, parts } = await server.counts()
const bound = 65_536 + 4 * 5 * 1024 * 1024 + 16 * 1024 * 1024
console.log(
  `${(size / 1e9).toFixed(2)} GB in ${seconds.toFixed(0)} s, received ${received - before.received} bytes in ${parts - before.parts} parts`,
)
console.log(
  `live memory above the start: ${(worst / 1048576).toFixed(1)} MiB at most; bound ${(bound / 1048576).toFixed(1)} MiB (head + queue × part + 16)`,
)
process.exitCode = worst <= bound && received - before.received === size ? 0 : 1
