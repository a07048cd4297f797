import { isStorable } from '../internal/storable.ts'

/** Highest priority number that BullMQ takes. */
const LAST_PRIORITY = 2_097_151

/** @throws {@link RangeError} unless it is 1, 2, 3 and so on. */
export function positiveInteger(option: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) throw refused(option, 'a whole number of at least 1', value)
}

/** @throws {@link RangeError} unless it is a time that can be written down: 0 or more, and finite. */
export function milliseconds(option: string, value: number): void {
  if (!Number.isFinite(value) || value < 0) throw refused(option, 'milliseconds, 0 or more', value)
}

/** @throws {@link RangeError} for a priority that BullMQ would refuse. */
export function checkPriority(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > LAST_PRIORITY) {
    throw refused('priority', `a whole number up to ${LAST_PRIORITY}`, value)
  }
}

/** @throws {@link RangeError} for a pause that makes no sense. */
export function checkBackoff({
  type,
  delayMs,
  jitter = 0,
}: {
  readonly type: string
  readonly delayMs: number
  readonly jitter?: number
}): void {
  if (type !== 'fixed' && type !== 'exponential') throw refused('backoff.type', '`fixed` or `exponential`', type)
  milliseconds('backoff.delayMs', delayMs)
  if (!(jitter >= 0 && jitter <= 1)) throw refused('backoff.jitter', 'between 0 and 1', jitter)
}

/** @throws {@link RangeError} for a key that is empty or kept for no time. */
export function checkDeduplication({ id, ttlMs }: { readonly id: string; readonly ttlMs?: number }): void {
  if (typeof id !== 'string' || id === '') throw refused('deduplication.id', 'a text', id)
  checkName('deduplication.id', id)
  if (ttlMs !== undefined) positiveInteger('deduplication.ttlMs', ttlMs)
}

/** @throws {@link RangeError} for a name that not every queue can keep. */
export function checkName(option: string, value: string): void {
  if (!isStorable(value)) throw refused(option, 'free of NUL and of halves of surrogate pairs', JSON.stringify(value))
}

function refused(option: string, expected: string, value: unknown): RangeError {
  return new RangeError(`Expected \`${option}\` to be ${expected}, got \`${String(value)}\``)
}
