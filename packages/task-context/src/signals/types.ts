import type { Job } from '../jobs/define-job.ts'
import type { StandardSchema } from '../standard-schema.ts'

/**
 * When a receiver hears.
 *
 * `sync`: before `send` returns, inside the transaction; may veto by throwing. `afterCommit`: once the outermost
 * transaction has committed, at once where there is none; lost when the process dies in between. `job`: as a job that
 * is enqueued with the transaction, and survives.
 */
export type Delivery = 'sync' | 'afterCommit' | 'job'

/** What became of one receiver. */
export type Delivered<Payload, Sender = unknown> =
  | { readonly receiver: Receiver<Payload, Sender>; readonly status: 'fulfilled'; readonly value: unknown }
  | { readonly receiver: Receiver<Payload, Sender>; readonly status: 'rejected'; readonly reason: unknown }

/** Hears a signal. May be async; `send` waits for it. */
export type Receiver<Payload, Sender = unknown> = (
  payload: Payload,
  details: { readonly sender: Sender | undefined; readonly signal: AbortSignal | undefined },
) => unknown

/** Rules of a signal. */
export interface SignalOptions<Payload> {
  /** What receivers get that do not choose. @default 'afterCommit' */
  readonly delivery?: Exclude<Delivery, 'job'>
  /** Checks each payload before it is sent. */
  readonly schema?: StandardSchema<Payload, unknown>
  /** What the signal means and when it is sent. */
  readonly doc?: string
  /** Receivers at work at the same time. @default 1, in the order of subscription */
  readonly concurrency?: number
  /** Longest a receiver may take, in milliseconds. It then counts as failed; its promise goes on unheard. @default none */
  readonly timeoutMs?: number
  /** Hears of receivers that failed after a commit, when `send` has returned. @default `console.error` */
  readonly onError?: (error: unknown) => void
}

/** How a receiver is connected. */
export interface ConnectOptions<Sender> {
  /** Hear this sender only: strings, numbers and other primitives by value, objects by identity. @default every sender */
  readonly sender?: Sender
  readonly delivery?: Exclude<Delivery, 'job'>
  /** Disconnect before the first delivery. @default false */
  readonly once?: boolean
  /** Disconnect on abort. */
  readonly signal?: AbortSignal
  /** Keep the subscription only as long as this object lives. It must not be reachable from the receiver itself. */
  readonly weak?: object
  /** Run in the context of this `connect` instead of the sender's. @default false */
  readonly bind?: boolean
}

/** How a job is connected. */
export interface ConnectJobOptions<Payload, Sender, Input> extends Omit<ConnectOptions<Sender>, 'delivery' | 'bind'> {
  /** Makes the job's payload. @default the signal's payload as it is */
  readonly map?: (payload: Payload) => Input
}

/** One subscription. Disposing ends exactly this one, and is safe to repeat. */
export interface Subscription extends Disposable {
  readonly active: boolean
}

/** How a payload is sent. */
export interface SendOptions<Sender> {
  readonly sender?: Sender
  /** Handed to receivers; once aborted, receivers that have not begun are not called. */
  readonly signal?: AbortSignal
}

/** A subscription that came or went; for those who supply what is only wanted while somebody listens. */
export interface SubscriptionChange<Payload, Sender> {
  readonly type: 'connected' | 'disconnected'
  readonly receiver: Receiver<Payload, Sender>
  readonly sender: Sender | undefined
}

/** A typed announcement. Made by `defineSignal`. */
export interface Signal<Payload, Sender = unknown> {
  readonly name: string
  readonly doc: string | undefined
  readonly delivery: Delivery
  /**
   * Adds a receiver. Connecting the same one for the same sender again replaces the earlier subscription.
   *
   * A receiver hears a send once, however many of its subscriptions match.
   */
  readonly connect: (receiver: Receiver<Payload, Sender>, options?: ConnectOptions<Sender>) => Subscription
  /** Enqueues a job for each send, inside the sender's transaction. */
  readonly connectJob: <Input, Checked>(
    tasks: { readonly enqueue: (job: Job<string, Input, Checked>, payload: Input) => Promise<unknown> },
    job: Job<string, Input, Checked>,
    ...options: Payload extends Input
      ? [options?: ConnectJobOptions<Payload, Sender, Input>]
      : [options: ConnectJobOptions<Payload, Sender, Input> & { readonly map: (payload: Payload) => Input }]
  ) => Subscription
  /**
   * Calls every receiver, whatever the others do: first those inside the transaction, then those after the commit,
   * each in the order they were connected.
   *
   * @returns One result per receiver; those after a commit that is still to come are added to the list then.
   * @throws {@link SignalVetoError} after all were called, when one inside the transaction failed.
   * @throws {@link TaskError} `TASK_SIGNAL_INVALID` when the payload does not fit the schema; nobody is called.
   */
  readonly send: (payload: Payload, options?: SendOptions<Sender>) => Promise<readonly Delivered<Payload, Sender>[]>
  /** Ends all subscriptions of a receiver, or only that for one sender. Answers how many. */
  readonly disconnect: (receiver: Receiver<Payload, Sender>, options?: { readonly sender?: Sender }) => number
  /** Whether a send would reach anybody. */
  readonly hasReceivers: (sender?: Sender) => boolean
  readonly receivers: (sender?: Sender) => Receiver<Payload, Sender>[]
  /** Tells of subscriptions that come and go, also of those that end by themselves. */
  readonly onSubscription: (listener: (change: SubscriptionChange<Payload, Sender>) => void) => Disposable
  /** Ends all subscriptions. For tests. */
  readonly clear: () => void
  /** `Signal(name)`. */
  readonly toString: () => string
}

/** A signal of any payload. */
export type AnySignal = Pick<Signal<never>, 'name' | 'delivery' | 'clear'>
