import { timingSafeEqual } from 'node:crypto'

/** Compares secrets without telling by the time taken how much of them agrees. */
export function sameSecret(one: string, two: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(two)]
  return a.length === b.length && timingSafeEqual(a, b)
}
