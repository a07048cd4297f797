export { type Delivered, SignalVetoError } from './deliver.ts'
export { muted, record } from './mute.ts'
export { defineSignal } from './signal.ts'
export type {
  AnySignal,
  ConnectOptions,
  Delivery,
  Receiver,
  SendOptions,
  Signal,
  SignalOptions,
  Subscription,
  SubscriptionChange,
} from './types.ts'
