/** A piece of what a container's program wrote. */
export interface Frame {
  readonly kind: 'output' | 'errors'
  readonly chunk: Buffer
}

const HEAD_BYTES = 8
const ERRORS = 2

/**
 * Takes the engine's stream apart, in which each piece of output carries a head. The stream waits while a piece is used, which
 * dockerode's own helper does not do: a large dump would pile up in memory.
 *
 * @see https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach (stream format)
 */
export async function* frames(stream: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let held: Buffer = Buffer.alloc(0)
  for await (const part of stream) {
    held = held.length === 0 ? part : Buffer.concat([held, part])
    while (held.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + held.readUInt32BE(4)
      if (held.length < end) break
      yield { kind: held[0] === ERRORS ? 'errors' : 'output', chunk: held.subarray(HEAD_BYTES, end) }
      held = held.subarray(end)
    }
  }
}

/** Reads frames line by line; output and errors are taken in the order of their coming. */
export async function* frameLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  // A line can be megabytes in thousands of frames: each is looked at once.
  let held: string[] = []
  for await (const { chunk } of frames(stream)) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
    held.push(first)
    for (const next of more) {
      yield held.join('').replace(/\r$/, '')
      held = [next]
    }
  }
  const last = held.join('')
  if (last !== '') yield last
}
