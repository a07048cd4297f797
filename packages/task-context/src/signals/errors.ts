import type { Delivered } from './types.ts'

/**
 * Receivers that hear inside the transaction have failed: whoever sent the signal should not go on.
 *
 * Thrown after all of them were called; `errors` holds the reasons, `results` what became of each.
 */
export class SignalVetoError extends AggregateError {
  override readonly name = 'SignalVetoError'
  readonly results: readonly Delivered<never, never>[]

  constructor(signal: string, results: readonly Delivered<never, never>[]) {
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    super(reasons, `${reasons.length} receivers of signal \`${signal}\` failed, first: ${String(reasons[0])}`)
    this.results = results
  }
}
