/** Blank lines keep proxies in between from closing a quiet stream; how often, in milliseconds, as JupyterHub. */
const KEEP_ALIVE_MS = 8000

/** Does something again and again; returns what ends it. */
type Every = (ms: number, run: () => void) => () => void

const byTheClock: Every = (ms, run) => {
  const timer = setInterval(run, ms)
  return () => clearInterval(timer)
}

/**
 * Server-sent events: one message each, and blank lines while there is none.
 *
 * @param first - What `events` gave already; its end is the stream's.
 */
export function eventStream(
  first: IteratorResult<unknown, void>,
  events: AsyncGenerator<unknown, void>,
  every: Every = byTheClock,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let quiet = () => {}
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      const send = (text: string) => controller.enqueue(encoder.encode(text))
      quiet = every(KEEP_ALIVE_MS, () => send('\n\n'))
      try {
        for (let next = first; next.done !== true; next = await events.next()) {
          send(`data: ${JSON.stringify(next.value)}\n\n`)
        }
        controller.close()
      } catch {
        // The reader has gone.
      } finally {
        quiet()
      }
    },
    async cancel() {
      quiet()
      await events.return()
    },
  })
}
