import { getNextMillis } from 'bullmq'

import type { ScheduleTiming } from './driver.ts'

/** A schedule's timing in BullMQ's words. */
export type Repeat = { readonly every: number } | { readonly pattern: string; readonly tz: string }

/**
 * Reads the timing of a schedule, with the parser BullMQ itself uses.
 *
 * @throws {@link TypeError} unless there is exactly one of `pattern` and `everyMs`.
 * @throws {@link RangeError} for an interval below 1, and for a pattern or time zone that cannot be read.
 */
export function repeatOf({ pattern, everyMs, timeZone = 'UTC' }: ScheduleTiming): Repeat {
  if ((pattern === undefined) === (everyMs === undefined)) {
    throw new TypeError('Expected exactly one of `pattern` and `everyMs` for a schedule')
  }
  if (pattern === undefined) {
    if (!Number.isInteger(everyMs) || everyMs! < 1) {
      throw new RangeError(`Expected \`everyMs\` to be a whole number of at least 1, got \`${everyMs}\``)
    }
    return { every: everyMs! }
  }
  const repeat = { pattern, tz: timeZone }
  nextDue(repeat, Date.now())
  return repeat
}

/**
 * Tells when a schedule is due next after a moment, both in milliseconds since the epoch.
 *
 * @throws {@link RangeError} when it never is.
 */
export function nextDue(repeat: Repeat, after: number): number {
  if ('every' in repeat) return after + repeat.every
  const { pattern, tz } = repeat
  const refuse = (cause?: unknown) =>
    new RangeError(`Expected a cron pattern in a time zone, got \`${pattern}\` in \`${tz}\``, { cause })
  // BullMQ's parser fills up missing places, and so takes an empty text for "every minute".
  if (pattern.trim() === '') throw refuse()
  let next: number | undefined
  try {
    next = getNextMillis(after, { pattern, tz })
  } catch (cause) {
    throw refuse(cause)
  }
  if (next === undefined) throw refuse()
  return next
}
