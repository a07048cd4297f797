/** Node's timers take at most this many milliseconds; a longer one fires at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1

/** A timer that, where asked for a longer time than Node's can take, up to `Infinity`, waits as long as they can. */
export function setLongTimeout(callback: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS))
}
