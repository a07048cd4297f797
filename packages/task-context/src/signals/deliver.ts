import { TaskError } from '../errors.ts'
import type { Receiver, SignalOptions } from './types.ts'
import type { Listening } from './subscriptions.ts'

/** What became of one receiver. */
export type Delivered<Payload, Sender = unknown> =
  | { readonly receiver: Receiver<Payload, Sender>; readonly status: 'fulfilled'; readonly value: unknown }
  | { readonly receiver: Receiver<Payload, Sender>; readonly status: 'rejected'; readonly reason: unknown }

/** Receivers of a `sync` signal that failed: whoever sent it should not go on. */
export class SignalVetoError extends AggregateError {
  override readonly name = 'SignalVetoError'

  constructor(signal: string, vetoes: readonly { readonly reason: unknown }[]) {
    const reasons = vetoes.map(({ reason }) => reason)
    const [first] = reasons
    super(reasons, `${reasons.length} receivers of signal \`${signal}\` failed, first: ${String(first)}`)
  }
}

/** Calls receivers in order, `concurrency` at a time; one that fails keeps none of the others from being called. */
export async function deliver<Payload, Sender>(
  listening: readonly Listening<Payload, Sender>[],
  payload: Payload,
  sender: Sender | undefined,
  { concurrency = 1, timeoutMs }: SignalOptions<Payload>,
  signal: AbortSignal | undefined,
): Promise<Delivered<Payload, Sender>[]> {
  const results: Delivered<Payload, Sender>[] = []
  let next = 0
  const lane = async () => {
    for (;;) {
      const index = next
      next += 1
      const one = listening[index]
      if (one === undefined || signal?.aborted === true) return
      // Disconnected by a receiver before it: then it must not hear this send any more.
      if (!one.begin()) continue
      results[index] = await callOne(one, payload, sender, timeoutMs, signal)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, listening.length) }, lane))
  // Gaps are those that were not called.
  return results.filter((result) => result !== undefined)
}

async function callOne<Payload, Sender>(
  one: Listening<Payload, Sender>,
  payload: Payload,
  sender: Sender | undefined,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Delivered<Payload, Sender>> {
  const { receiver } = one
  try {
    const limit = timeoutMs === undefined ? undefined : new AbortController()
    const given = limit === undefined ? signal : AbortSignal.any([limit.signal, ...(signal ? [signal] : [])])
    const answer = one.run(payload, { sender, signal: given })
    const value = limit === undefined ? await answer : await within(answer, timeoutMs!, limit)
    return { receiver, status: 'fulfilled', value }
  } catch (reason) {
    return { receiver, status: 'rejected', reason }
  }
}

async function within(answer: unknown, ms: number, limit: AbortController): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new TaskError('TASK_TIMEOUT', `A receiver took longer than ${ms} ms`)
    limit.abort(error)
    reject(error)
  }, ms)
  try {
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}
