import { TaskError } from '../errors.ts'
import { setLongTimeout } from '../internal/timers.ts'
import { isThenable } from '../internal/thenable.ts'
import type { Listening } from './subscriptions.ts'
import type { Delivered, SignalOptions } from './types.ts'

/** What one round of delivery needs to know. */
export interface Round<Payload, Sender> {
  readonly payload: Payload
  readonly sender: Sender | undefined
  readonly options: SignalOptions<Payload>
  readonly signal: AbortSignal | undefined
}

/**
 * Calls receivers in order, `concurrency` at a time; one that fails keeps none of the others from being called.
 *
 * Answers at once where no receiver is asynchronous: a promise per receiver would cost more than most receivers do.
 */
export function deliver<Payload, Sender>(
  listening: readonly Listening<Payload, Sender>[],
  round: Round<Payload, Sender>,
): Delivered<Payload, Sender>[] | Promise<Delivered<Payload, Sender>[]> {
  const { concurrency = 1, timeoutMs } = round.options
  if (timeoutMs === undefined && concurrency >= listening.length) return deliverTogether(listening, round)
  if (timeoutMs === undefined && concurrency === 1) return deliverFrom(0, listening, round, [])
  return deliverInLanes(listening, round, concurrency)
}

/** Nobody has to wait for anybody: each is called at once. */
function deliverTogether<Payload, Sender>(
  listening: readonly Listening<Payload, Sender>[],
  { payload, sender, signal }: Round<Payload, Sender>,
): Delivered<Payload, Sender>[] | Promise<Delivered<Payload, Sender>[]> {
  const details = { sender, signal }
  const results: Delivered<Payload, Sender>[] = []
  const waiting: PromiseLike<unknown>[] = []
  for (const one of listening) {
    if (signal?.aborted === true) break
    if (!one.begin()) continue
    const { receiver } = one
    // Its place is taken now, whenever it answers.
    const place = results.length
    try {
      const value = one.run(payload, details)
      results.push({ receiver, status: 'fulfilled', value })
      if (isThenable(value)) {
        const answered = value.then(
          (answer) => void (results[place] = { receiver, status: 'fulfilled', value: answer }),
          (reason: unknown) => void (results[place] = { receiver, status: 'rejected', reason }),
        )
        waiting.push(answered)
      }
    } catch (reason) {
      results[place] = { receiver, status: 'rejected', reason }
    }
  }
  return waiting.length === 0 ? results : Promise.all(waiting).then(() => results)
}

function deliverFrom<Payload, Sender>(
  start: number,
  listening: readonly Listening<Payload, Sender>[],
  round: Round<Payload, Sender>,
  results: Delivered<Payload, Sender>[],
): Delivered<Payload, Sender>[] | Promise<Delivered<Payload, Sender>[]> {
  const { payload, sender, signal } = round
  const details = { sender, signal }
  for (let index = start; index < listening.length; index += 1) {
    const one = listening[index]!
    if (signal?.aborted === true) break
    // Disconnected by a receiver before it: then it must not hear this send any more.
    if (!one.begin()) continue
    const { receiver } = one
    try {
      const value = one.run(payload, details)
      if (isThenable(value)) {
        return settle(receiver, value).then((result) => {
          results.push(result)
          return deliverFrom(index + 1, listening, round, results)
        })
      }
      results.push({ receiver, status: 'fulfilled', value })
    } catch (reason) {
      results.push({ receiver, status: 'rejected', reason })
    }
  }
  return results
}

async function deliverInLanes<Payload, Sender>(
  listening: readonly Listening<Payload, Sender>[],
  { payload, sender, options, signal }: Round<Payload, Sender>,
  concurrency: number,
): Promise<Delivered<Payload, Sender>[]> {
  const results: Delivered<Payload, Sender>[] = []
  let next = 0
  const lane = async () => {
    for (;;) {
      const index = next
      next += 1
      const one = listening[index]
      if (one === undefined || signal?.aborted === true) return
      if (!one.begin()) continue
      const call = () => limited(options.timeoutMs, signal, (given) => one.run(payload, { sender, signal: given }))
      results[index] = await settle(one.receiver, call())
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, listening.length) }, lane))
  // Gaps are those that were not called.
  return results.filter((result) => result !== undefined)
}

async function settle<Payload, Sender>(
  receiver: Delivered<Payload, Sender>['receiver'],
  answer: PromiseLike<unknown>,
): Promise<Delivered<Payload, Sender>> {
  try {
    return { receiver, status: 'fulfilled', value: await answer }
  } catch (reason) {
    return { receiver, status: 'rejected', reason }
  }
}

async function limited(
  ms: number | undefined,
  outer: AbortSignal | undefined,
  call: (signal: AbortSignal | undefined) => unknown,
): Promise<unknown> {
  if (ms === undefined) return call(outer)
  const limit = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setLongTimeout(() => {
    const error = new TaskError('TASK_TIMEOUT', `A receiver took longer than ${ms} ms`)
    limit.abort(error)
    reject(error)
  }, ms)
  try {
    const signal = outer === undefined ? limit.signal : AbortSignal.any([limit.signal, outer])
    return await Promise.race([call(signal), promise])
  } finally {
    clearTimeout(timer)
  }
}
