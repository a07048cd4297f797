import type { ConnectOptions, Delivery, Receiver, Subscription, SubscriptionChange } from './types.ts'

/** A receiver that is about to hear a send. */
export interface Listening<Payload, Sender> {
  readonly receiver: Receiver<Payload, Sender>
  readonly run: Receiver<Payload, Sender>
  readonly delivery: Delivery
  /** Answers whether it is still connected; ends a `once` subscription. */
  readonly begin: () => boolean
}

/** A receiver, and what is called in its stead where it was bound to a context. */
interface Held<Payload, Sender> {
  readonly receiver: Receiver<Payload, Sender>
  readonly run: Receiver<Payload, Sender>
}

interface Entry<Payload, Sender> {
  /** `undefined` once a weak owner has gone. */
  readonly held: () => Held<Payload, Sender> | undefined
  readonly weak: boolean
  readonly anySender: boolean
  /** By value for primitives, by identity for objects, which are held weakly. */
  readonly isSender: (sender: unknown) => boolean
  /** `undefined` once an object has gone. */
  readonly sender: () => Sender | undefined
  readonly delivery: Delivery
  readonly once: boolean
  readonly stop: () => void
  active: boolean
}

/** The receivers of one signal, in the order they were connected. */
export class Subscriptions<Payload, Sender> {
  #entries: Entry<Payload, Sender>[] = []
  /** Everybody, where that depends neither on the sender nor on the garbage collector; the usual case. */
  #everybody: Listening<Payload, Sender>[] | undefined
  readonly #watchers = new Set<(change: SubscriptionChange<Payload, Sender>) => void>()

  get size(): number {
    return this.#entries.length
  }

  add(
    held: Held<Payload, Sender>,
    options: Omit<ConnectOptions<Sender>, 'delivery'> & { readonly delivery: Delivery },
  ): Subscription {
    const { sender, delivery, signal, weak } = options
    const anySender = sender === undefined
    const match = matcher(sender)
    const end = () => this.#end(entry)
    const entry: Entry<Payload, Sender> = {
      held: hold(held, weak),
      weak: weak !== undefined,
      anySender,
      isSender: match.is,
      sender: () => match.value() as Sender | undefined,
      delivery,
      once: options.once === true,
      active: signal?.aborted !== true,
      stop: () => signal?.removeEventListener('abort', end),
    }
    if (entry.active) {
      signal?.addEventListener('abort', end, { once: true })
      const earlier = this.#find(held.receiver, anySender ? undefined : match)
      this.#change(
        earlier === undefined ? [...this.#entries, entry] : this.#entries.map((one) => (one === earlier ? entry : one)),
      )
      if (earlier === undefined) this.#announceConnected(entry)
      else retire(earlier)
    }
    return {
      get active() {
        return entry.active
      },
      [Symbol.dispose]: end,
    }
  }

  #find(receiver: Receiver<Payload, Sender>, match: { readonly is: (sender: unknown) => boolean } | undefined) {
    return this.#entries.find(
      (one) =>
        one.held()?.receiver === receiver &&
        one.anySender === (match === undefined) &&
        (match === undefined || match.is(one.sender())),
    )
  }

  /** A snapshot: who connects during a send is not part of it. */
  heardBy(sender: Sender | undefined): readonly Listening<Payload, Sender>[] {
    if (this.#everybody !== undefined) return this.#everybody
    const heard = new Map<Receiver<Payload, Sender>, Listening<Payload, Sender>>()
    for (const entry of this.#entries) {
      const held = entry.held()
      if (held === undefined || (!entry.anySender && entry.sender() === undefined)) this.#end(entry)
      else if ((entry.anySender || entry.isSender(sender)) && !heard.has(held.receiver)) {
        heard.set(held.receiver, { ...held, delivery: entry.delivery, begin: () => this.#begin(entry) })
      }
    }
    const all = [...heard.values()]
    if (this.#entries.every((entry) => entry.anySender && !entry.weak)) this.#everybody = all
    return all
  }

  remove(receiver: Receiver<Payload, Sender>, sender: Sender | undefined): number {
    const gone = this.#entries.filter(
      (entry) =>
        entry.held()?.receiver === receiver && (sender === undefined || (!entry.anySender && entry.isSender(sender))),
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

  #begin(entry: Entry<Payload, Sender>): boolean {
    if (!entry.active) return false
    if (entry.once) this.#end(entry)
    return true
  }

  #change(entries: Entry<Payload, Sender>[]): void {
    this.#entries = entries
    this.#everybody = undefined
  }

  #end(entry: Entry<Payload, Sender>): void {
    if (!entry.active) return
    retire(entry)
    this.#change(this.#entries.filter((one) => one !== entry))
    this.#announce('disconnected', entry)
  }

  /** A listener that throws refuses the subscription. */
  #announceConnected(entry: Entry<Payload, Sender>): void {
    try {
      this.#announce('connected', entry)
    } catch (error) {
      retire(entry)
      this.#change(this.#entries.filter((one) => one !== entry))
      throw error
    }
  }

  #announce(type: SubscriptionChange<Payload, Sender>['type'], entry: Entry<Payload, Sender>): void {
    const receiver = entry.held()?.receiver
    if (receiver === undefined) return
    for (const listener of this.#watchers) listener({ type, receiver, sender: entry.sender() })
  }
}

function retire(entry: { active: boolean; readonly stop: () => void }): void {
  entry.active = false
  entry.stop()
}

function matcher(sender: unknown): { readonly is: (other: unknown) => boolean; readonly value: () => unknown } {
  if ((typeof sender !== 'object' && typeof sender !== 'function') || sender === null) {
    return { is: (other) => Object.is(sender, other), value: () => sender }
  }
  const reference = new WeakRef(sender)
  return { is: (other) => reference.deref() === other, value: () => reference.deref() }
}

/** What owners keep alive for us: when an owner goes, so does what it kept. */
const kept = new WeakMap<object, Set<unknown>>()

/** A function of its own: closures share what they capture, and none that stays may capture what is held weakly. */
function hold<T extends object>(value: T, owner: object | undefined): () => T | undefined {
  return owner === undefined ? () => value : weakly(new WeakRef(value), value, owner)
}

function weakly<T extends object>(reference: WeakRef<T>, value: T, owner: object): () => T | undefined {
  const values = kept.get(owner) ?? new Set()
  kept.set(owner, values.add(value))
  return deref.bind(undefined, reference) as () => T | undefined
}

function deref(reference: WeakRef<object>): unknown {
  return reference.deref()
}
