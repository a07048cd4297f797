import { channel } from 'node:diagnostics_channel'

import { afterCommit } from '../context/after-commit.ts'
import { bind, runDetached, tryContext } from '../context/scope.ts'
import { TaskError } from '../errors.ts'
import { describeIssues } from '../standard-schema.ts'
import { deliver, type Round } from './deliver.ts'
import { SignalVetoError } from './errors.ts'
import { interception } from './mute.ts'
import { type Listening, Subscriptions } from './subscriptions.ts'
import type { ConnectJobOptions, Delivered, Receiver, SendOptions, Signal, SignalOptions } from './types.ts'

/** Answer of a send that reached nobody; one for all, as most signals have no receiver most of the time. */
const NOBODY = Promise.resolve(Object.freeze([]))

/**
 * Defines a signal: a typed announcement that any number of receivers hear.
 *
 * Two definitions are two signals, also under one name: share the object. Each send is published on the diagnostics
 * channel `task-context:signal:NAME` as well.
 *
 * @throws {@link TypeError} without a name; {@link RangeError} for a concurrency below 1 or a time below 0.
 * @example
 * const orderPaid = defineSignal<{ orderId: string }>('order.paid')
 * orderPaid.connect(async ({ orderId }) => { await printReceipt(orderId) })
 * await orderPaid.send({ orderId: '7' })
 */
export function defineSignal<Payload, Sender = unknown>(
  name: string,
  options: SignalOptions<Payload> = {},
): Signal<Payload, Sender> {
  if (name === '') throw new TypeError('Expected a signal with a name')
  const { delivery = 'afterCommit', schema, doc, concurrency, timeoutMs } = options
  if (concurrency !== undefined && !(concurrency >= 1))
    throw new RangeError(`Expected \`concurrency\` to be 1 or more, got \`${concurrency}\``)
  if (timeoutMs !== undefined && !(timeoutMs >= 0))
    throw new RangeError(`Expected \`timeoutMs\` to be 0 or more, got \`${timeoutMs}\``)
  const subscriptions = new Subscriptions<Payload, Sender>()
  const events = channel(`task-context:signal:${name}`)
  const { onError = (error) => console.error(`A receiver of signal ${name} failed`, error) } = options

  function add(receiver: Receiver<Payload, Sender>, given: Parameters<typeof subscriptions.add>[1]) {
    const run = given.bind === true ? bind(receiver) : receiver
    return runDetached(() => subscriptions.add({ receiver, run }, given))
  }

  function send(payload: Payload, given: SendOptions<Sender> = {}): Promise<readonly Delivered<Payload, Sender>[]> {
    const intercepted = interception(self)
    if (intercepted === 'muted') return NOBODY
    if (schema !== undefined) return checkedSend(payload, given, intercepted)
    return passOn(payload, given, intercepted)
  }

  async function checkedSend(
    payload: Payload,
    given: SendOptions<Sender>,
    intercepted: unknown[] | undefined,
  ): Promise<readonly Delivered<Payload, Sender>[]> {
    const result = await schema!['~standard'].validate(payload)
    if (result.issues === undefined) return passOn(payload, given, intercepted)
    const reason = describeIssues(result.issues)
    throw new TaskError('TASK_SIGNAL_INVALID', `Payload of signal \`${name}\` does not fit its schema: ${reason}`)
  }

  function passOn(
    payload: Payload,
    given: SendOptions<Sender>,
    intercepted: unknown[] | undefined,
  ): Promise<readonly Delivered<Payload, Sender>[]> {
    if (events.hasSubscribers) {
      events.publish({ signal: name, payload, sender: given.sender, requestId: tryContext()?.requestId })
    }
    if (intercepted !== undefined) intercepted.push(payload)
    if (intercepted !== undefined || subscriptions.size === 0) return NOBODY
    const heard = subscriptions.heardBy(given.sender)
    const round: Round<Payload, Sender> = { payload, sender: given.sender, signal: given.signal, options }
    const later = heard.filter((one) => one.delivery === 'afterCommit')
    if (later.length === heard.length) return sendLater(later, round, [])
    const now = later.length === 0 ? heard : heard.filter((one) => one.delivery !== 'afterCommit')
    const results = deliver(now, round)
    if (!Array.isArray(results)) return results.then((settled) => afterNow(settled, later, round))
    // A veto rejects the promise; it must not be thrown at a caller who has not awaited yet.
    return later.length === 0 && results.every(fulfilled) ? Promise.resolve(results) : afterNow(results, later, round)
  }

  async function afterNow(
    results: Delivered<Payload, Sender>[],
    later: readonly Listening<Payload, Sender>[],
    round: Round<Payload, Sender>,
  ) {
    if (!results.every(fulfilled)) throw new SignalVetoError(name, results as Delivered<never, never>[])
    return sendLater(later, round, results)
  }

  async function sendLater(
    later: readonly Listening<Payload, Sender>[],
    round: Round<Payload, Sender>,
    results: Delivered<Payload, Sender>[],
  ) {
    if (later.length === 0) return results
    await afterCommit(async () => {
      const delivered = await deliver(later, round)
      results.push(...delivered)
      for (const result of delivered) if (result.status === 'rejected') onError(result.reason)
    })
    return results
  }

  const self: Signal<Payload, Sender> = {
    name,
    doc,
    delivery,
    connect: (receiver, given) => add(receiver, { delivery, ...given }),
    connectJob: (tasks, job, ...rest) => {
      const [given] = rest as [ConnectJobOptions<Payload, Sender, unknown>?]
      return add(enqueuer(tasks as never, job, given), { ...given, delivery: 'job' })
    },
    send,
    disconnect: (receiver, given) => subscriptions.remove(receiver, given?.sender),
    hasReceivers: (sender) => subscriptions.heardBy(sender).length > 0,
    receivers: (sender) => subscriptions.heardBy(sender).map((one) => one.receiver),
    onSubscription: (listener) => subscriptions.watch(listener),
    clear: () => subscriptions.clear(),
    toString: () => `Signal(${name})`,
  }
  return self
}

const fulfilled = (result: { readonly status: string }) => result.status === 'fulfilled'

function enqueuer<Payload, Sender>(
  tasks: { readonly enqueue: (job: unknown, payload: unknown) => Promise<unknown> },
  job: unknown,
  given: ConnectJobOptions<Payload, Sender, unknown> | undefined,
): Receiver<Payload, Sender> {
  return (payload) => tasks.enqueue(job, given?.map === undefined ? payload : given.map(payload))
}
