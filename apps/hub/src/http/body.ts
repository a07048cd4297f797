import { RequestError } from '../errors.ts'

/** Largest body of a call, in bytes: some ten thousand names of users. */
const MAX_BODY_BYTES = 1_000_000

/**
 * Reads a body to its end, or to the limit: who sends for ever must not fill the hub's memory.
 *
 * @throws {@link RequestError} 413 when it is larger.
 */
export async function readText(request: Request): Promise<string> {
  const { headers } = request
  const length = headers.get('content-length')
  // Looking at the request's own body would make a stream of it, which costs more than most calls.
  if (length === null && !headers.has('transfer-encoding')) return ''
  if (Number(length) > MAX_BODY_BYTES) throw tooLarge()
  // Node holds a body to the length that was announced.
  if (length !== null) return request.text()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

const tooLarge = () => new RequestError(413, `A body has at most ${MAX_BODY_BYTES} bytes`)
