import { setTimeout as delay } from 'node:timers/promises'

/** Asks again and again until the answer is not `undefined`; the deadline is for a test that hangs, not for timing. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined>,
  deadlineMs = 60_000,
): Promise<Value> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const value = await ask()
    if (value !== undefined) return value
    if (Date.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`)
    await delay(30)
  }
}
