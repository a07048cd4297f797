import type { ConnectOptions, Delivery, Receiver, Subscription, SubscriptionChange } from './types.ts'

/** A receiver that is about to hear a send. */
export interface Listening<Payload, Sender> {
  readonly receiver: Receiver<Payload, Sender>
  readonly run: Receiver<Payload, Sender>
  readonly delivery: Delivery
  /** Answers whether it is still connected; ends a `once` subscription. */
  readonly begin: () => boolean
}

interface Entry<Payload, Sender> {
  readonly receiver: Receiver<Payload, Sender>
  readonly run: () => Receiver<Payload, Sender> | undefined
  readonly anySender: boolean
  /** Primitives by value, objects weakly, so that a subscription does not keep its sender alive. */
  readonly matches: (sender: unknown) => boolean
  readonly senderOf: () => Sender | undefined
  readonly delivery: Delivery
  readonly once: boolean
  active: boolean
  readonly stop: () => void
}

/** The receivers of one signal, in the order they were connected. */
export class Subscriptions<Payload, Sender> {
  #entries: Entry<Payload, Sender>[] = []
  readonly #watchers = new Set<(change: SubscriptionChange<Payload, Sender>) => void>()

  add(
    receiver: Receiver<Payload, Sender>,
    run: Receiver<Payload, Sender>,
    options: ConnectOptions<Sender> & { readonly delivery: Delivery },
  ): Subscription {
    const anySender = !Object.hasOwn(options, 'sender') || options.sender === undefined
    const match = matcher(options.sender)
    const existing = this.#entries.find(
      (entry) => entry.receiver === receiver && entry.anySender === anySender && match.same(entry.senderOf()),
    )
    const onAbort = () => this.#end(entry)
    const keep = options.weak === undefined ? () => run : weakly(options.weak, run)
    const entry: Entry<Payload, Sender> = {
      receiver,
      run: keep,
      anySender,
      matches: (sender) => anySender || match.same(sender),
      senderOf: () => match.value() as Sender | undefined,
      delivery: options.delivery,
      once: options.once === true,
      active: options.signal?.aborted !== true,
      stop: () => options.signal?.removeEventListener('abort', onAbort),
    }
    if (entry.active) {
      if (existing === undefined) this.#entries = [...this.#entries, entry]
      else this.#replace(existing, entry)
      options.signal?.addEventListener('abort', onAbort, { once: true })
      try {
        if (existing === undefined) this.#announce('connected', entry)
      } catch (error) {
        this.#end(entry)
        throw error
      }
    }
    return {
      get active() {
        return entry.active
      },
      [Symbol.dispose]: () => this.#end(entry),
    }
  }

  /** A snapshot: who connects during a send is not part of it. */
  heardBy(sender: Sender | undefined): Listening<Payload, Sender>[] {
    const heard = new Map<Receiver<Payload, Sender>, Listening<Payload, Sender>>()
    for (const entry of this.#entries) {
      const run = entry.run()
      if (run === undefined || (!entry.anySender && entry.senderOf() === undefined)) {
        this.#end(entry)
        continue
      }
      if (!entry.matches(sender) || heard.has(entry.receiver)) continue
      heard.set(entry.receiver, {
        receiver: entry.receiver,
        run,
        delivery: entry.delivery,
        begin: () => {
          if (!entry.active) return false
          if (entry.once) this.#end(entry)
          return true
        },
      })
    }
    return [...heard.values()]
  }

  remove(receiver: Receiver<Payload, Sender>, options: { readonly sender?: Sender } = {}): number {
    const one = Object.hasOwn(options, 'sender') && options.sender !== undefined
    const gone = this.#entries.filter(
      (entry) => entry.receiver === receiver && (!one || (!entry.anySender && entry.matches(options.sender))),
    )
    for (const entry of gone) this.#end(entry)
    return gone.length
  }

  watch(listener: (change: SubscriptionChange<Payload, Sender>) => void): Disposable {
    this.#watchers.add(listener)
    return { [Symbol.dispose]: () => void this.#watchers.delete(listener) }
  }

  clear(): void {
    for (const entry of this.#entries) this.#end(entry)
  }

  #replace(old: Entry<Payload, Sender>, entry: Entry<Payload, Sender>): void {
    this.#entries = this.#entries.map((one) => (one === old ? entry : one))
    old.active = false
    old.stop()
  }

  #end(entry: Entry<Payload, Sender>): void {
    if (!entry.active) return
    entry.active = false
    entry.stop()
    this.#entries = this.#entries.filter((one) => one !== entry)
    this.#announce('disconnected', entry)
  }

  #announce(type: SubscriptionChange<Payload, Sender>['type'], entry: Entry<Payload, Sender>): void {
    for (const listener of this.#watchers) listener({ type, receiver: entry.receiver, sender: entry.senderOf() })
  }
}

function matcher(sender: unknown) {
  if (typeof sender !== 'object' && typeof sender !== 'function') {
    return { same: (other: unknown) => Object.is(sender, other), value: () => sender }
  }
  if (sender === null) return { same: (other: unknown) => other === null, value: () => null }
  const reference = new WeakRef(sender)
  return { same: (other: unknown) => reference.deref() === other, value: () => reference.deref() }
}

/** Hands a function to its owner to keep: when the owner goes, so does the function. */
const kept = new WeakMap<object, Set<unknown>>()

function weakly<T extends object>(owner: object, value: T): () => T | undefined {
  const values = kept.get(owner) ?? new Set()
  kept.set(owner, values.add(value))
  const reference = new WeakRef(value)
  return () => reference.deref()
}
