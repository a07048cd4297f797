import { AsyncLocalStorage } from 'node:async_hooks'

import type { AnySignal, Signal } from './types.ts'

/** What happens to a signal instead of delivery: nothing, or its payloads are collected here. */
type Interception = 'muted' | unknown[]

const storage = new AsyncLocalStorage<ReadonlyMap<object, Interception>>()

/** Whether anything was ever muted or recorded in this process: production never pays for it. */
let used = false

/** How the caller's surroundings have a signal treated; `undefined` for delivery. */
export function interception(signal: object): Interception | undefined {
  return used ? storage.getStore()?.get(signal) : undefined
}

/**
 * Runs `fn` with signals switched off, for it and for all it calls, awaits or starts.
 *
 * Others that run at the same time are not touched, and an inner block does not end an outer one.
 */
export function muted<T>(signals: readonly AnySignal[], fn: () => T): T {
  return within(
    signals.map((signal) => [signal, 'muted']),
    fn,
  )
}

/**
 * Runs `fn` and collects what it sends instead of delivering it. Payloads of rolled back transactions are collected,
 * too: they were sent.
 */
export async function record<Payload, Sender, T>(
  signal: Signal<Payload, Sender>,
  fn: () => T | Promise<T>,
): Promise<{ readonly result: T; readonly sent: Payload[] }> {
  const sent: Payload[] = []
  const result = await within([[signal, sent]], fn)
  return { result, sent }
}

function within<T>(entries: readonly (readonly [object, Interception])[], fn: () => T): T {
  for (const [signal] of entries) {
    if (typeof signal !== 'object' || signal === null) throw new TypeError('Expected signals that are defined')
  }
  used = true
  return storage.run(new Map([...(storage.getStore() ?? []), ...entries]), fn)
}
