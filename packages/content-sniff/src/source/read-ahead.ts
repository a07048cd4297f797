const ignore = (): undefined => undefined

/** The same chunks, each asked for while the one before it is still in use: reading and writing then overlap. */
export async function* readAhead(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = body[Symbol.asyncIterator]()
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    const step = iterator.next()
    // A failure counts when its turn comes; until then nobody looks, and that is no unhandled rejection.
    step.catch(ignore)
    return step
  }
  let ended = false
  try {
    for (let pending = next(); ;) {
      const step = await pending
      if (step.done === true) {
        ended = true
        return
      }
      pending = next()
      yield step.value
    }
  } finally {
    // A source that hangs in a read never answers, so nobody waits for it.
    if (!ended) void iterator.return?.().catch(ignore)
  }
}
