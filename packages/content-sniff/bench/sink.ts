import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a sink got so far. */
interface Counts {
  readonly received: number
  readonly parts: number
}

/** As much of S3 as an upload in parts needs, in another process; counts bytes and forgets them. */
export interface RemoteSink extends AsyncDisposable {
  readonly endpoint: string
  readonly counts: () => Promise<Counts>
}

/** Starts a sink. */
export async function remoteSink(): Promise<RemoteSink> {
  const child: ChildProcess = fork(import.meta.filename, { execArgv: [], env: { ...process.env, SINK: '1' } })
  const [port] = (await once(child, 'message')) as [number]
  return {
    endpoint: `http://127.0.0.1:${port}`,
    counts: async () => {
      child.send('counts')
      const [counts] = (await once(child, 'message')) as [Counts]
      return counts
    },
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await once(child, 'exit')
    },
  }
}

function serveSink(): void {
  let received = 0
  let parts = 0
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://localhost')
    incoming.on('data', (chunk: Buffer) => {
      if (incoming.method === 'PUT') received += chunk.length
    })
    incoming.on('end', () => {
      outgoing.setHeader('content-type', 'application/xml')
      if (incoming.method === 'HEAD') {
        outgoing.writeHead(404).end()
      } else if (incoming.method === 'PUT') {
        parts += 1
        outgoing.writeHead(200, { etag: `"${parts}"` }).end()
      } else if (url.searchParams.has('uploads')) {
        outgoing.end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>')
      } else {
        outgoing.end('<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>')
      }
    })
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
  process.on('message', () => process.send?.({ received, parts }))
}

if (process.env['SINK'] === '1') serveSink()
