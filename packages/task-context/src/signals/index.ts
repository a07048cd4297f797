export { SignalVetoError } from './errors.ts'
export { muted, record } from './mute.ts'
export { defineSignal } from './signal.ts'
export type {
  AnySignal,
  ConnectJobOptions,
  ConnectOptions,
  Delivered,
  Delivery,
  Receiver,
  SendOptions,
  Signal,
  SignalOptions,
  Subscription,
  SubscriptionChange,
} from './types.ts'
