import { channel } from 'node:diagnostics_channel'

import { afterCommit } from '../context/after-commit.ts'
import { bind as bindToContext, runDetached, tryContext } from '../context/scope.ts'
import { TaskError } from '../errors.ts'
import { describeIssues, type StandardSchema } from '../standard-schema.ts'
import { type Delivered, deliver, SignalVetoError } from './deliver.ts'
import { interception } from './mute.ts'
import type { ConnectOptions, Receiver, SendOptions, Signal, SignalOptions, Subscription } from './types.ts'
import { Subscriptions } from './subscriptions.ts'

/**
 * Defines a signal: a typed announcement that any number of receivers hear.
 *
 * Two definitions are two signals, also under one name: share the object.
 *
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
  const { delivery = 'afterCommit', schema, doc } = options
  const subscriptions = new Subscriptions<Payload, Sender>()
  const events = channel(`task-context:signal:${name}`)

  function connect(receiver: Receiver<Payload, Sender>, given: ConnectOptions<Sender> = {}): Subscription {
    const run = given.bind === true ? bindToContext(receiver) : receiver
    return runDetached(() => subscriptions.add(receiver, run, { delivery, ...given }))
  }

  async function send(
    payload: Payload,
    { sender, signal }: SendOptions<Sender> = {},
  ): Promise<Delivered<Payload, Sender>[]> {
    const intercepted = interception(self)
    if (intercepted === 'muted') return []
    if (schema !== undefined) await check(name, schema, payload)
    if (events.hasSubscribers) events.publish({ signal: name, payload, sender, requestId: tryContext()?.requestId })
    if (intercepted !== undefined) {
      intercepted.push(payload)
      return []
    }
    const heard = subscriptions.heardBy(sender as Sender)
    if (heard.length === 0) return []
    const now = heard.filter((one) => one.delivery === 'sync')
    const later = heard.filter((one) => one.delivery === 'afterCommit')
    const results = await deliver(now, payload, sender as Sender, options, signal)
    const vetoes = results.filter((result) => result.status === 'rejected')
    if (vetoes.length > 0 && delivery === 'sync') throw new SignalVetoError(name, vetoes)
    if (later.length === 0) return results
    await afterCommit(async () => {
      const after = await deliver(later, payload, sender as Sender, options, signal)
      results.push(...after)
      report(name, after, options)
    })
    return results
  }

  const self: Signal<Payload, Sender> = {
    name,
    doc,
    delivery,
    connect,
    send,
    disconnect: (receiver, given) => subscriptions.remove(receiver, given),
    hasReceivers: (sender) => subscriptions.heardBy(sender as Sender).length > 0,
    receivers: (sender) => subscriptions.heardBy(sender as Sender).map((one) => one.receiver),
    onSubscription: (listener) => subscriptions.watch(listener),
    clear: () => subscriptions.clear(),
    toString: () => `Signal(${name})`,
  }
  return self
}

async function check<Payload>(name: string, schema: StandardSchema<Payload, unknown>, payload: Payload): Promise<void> {
  const result = await schema['~standard'].validate(payload)
  if (result.issues === undefined) return
  const reason = describeIssues(result.issues)
  throw new TaskError('TASK_SIGNAL_INVALID', `Payload of signal \`${name}\` does not fit its schema: ${reason}`)
}

function report<Payload, Sender>(
  name: string,
  results: readonly Delivered<Payload, Sender>[],
  { onError }: SignalOptions<Payload>,
): void {
  for (const result of results) {
    if (result.status === 'rejected') {
      if (onError === undefined) console.error(`A receiver of signal ${name} failed`, result.reason)
      else onError(result.reason)
    }
  }
}
