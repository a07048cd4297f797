/** The start of a stream, kept whole. */
export interface Collected {
  /** To be emptied by whoever sends them on, so that they are held once only. */
  readonly chunks: Uint8Array[]
  /** True when the stream ended within the limit. */
  readonly ended: boolean
}

/** Gathers chunks until the stream ends or there are more bytes than `limitBytes`. */
export async function collect(pull: () => Promise<IteratorResult<Uint8Array>>, limitBytes: number): Promise<Collected> {
  const chunks: Uint8Array[] = []
  let length = 0
  while (length <= limitBytes) {
    const next = await pull()
    if (next.done === true) return { chunks, ended: true }
    chunks.push(next.value)
    length += next.value.length
  }
  return { chunks, ended: false }
}

/** Gives the start away chunk by chunk, then goes on with the source. */
export async function* replay(
  chunks: Uint8Array[],
  pull: () => Promise<IteratorResult<Uint8Array>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk
  for (let next = await pull(); next.done !== true; next = await pull()) yield next.value
}
