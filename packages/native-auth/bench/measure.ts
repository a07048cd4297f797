import { bar, type Goal, isMet, type Peer, record, times } from '@org/bench'

/** How often candidates take their turn; once with `--quick`. */
const ROUNDS = process.argv.includes('--quick') ? 1 : 7

/** Work that is timed; `times` is how often one call does it. */
export interface Candidate {
  readonly name: string
  readonly run: () => Promise<unknown>
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** Quantile of samples, by rank. */
export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

/**
 * Runs candidates in turn, round after round, and returns the median milliseconds of each.
 *
 * Whoever goes first changes with each round: what else the machine does hits all alike.
 */
export async function interleave(candidates: readonly Candidate[], rounds = ROUNDS): Promise<number[]> {
  const times: number[][] = candidates.map(() => [])
  for (const { run } of candidates) await run()
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < candidates.length; turn += 1) {
      const index = (turn + round) % candidates.length
      const began = performance.now()
      await candidates[index]?.run()
      times[index]?.push(performance.now() - began)
    }
  }
  return times.map(median)
}

/** Keeps `width` calls running until `count` are done. */
export async function pool(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const index = next
      next += 1
      await work(index)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** Chance that a sample of one class is larger than one of the other; 0.5 tells them not apart. */
export function auc(left: readonly number[], right: readonly number[]): number {
  let wins = 0
  for (const a of left) for (const b of right) wins += a > b ? 1 : a === b ? 0.5 : 0
  return wins / (left.length * right.length)
}

/** Samples how late a timer of 1 ms comes while work runs; milliseconds. */
export async function loopDelays(work: () => Promise<unknown>): Promise<number[]> {
  const delays: number[] = []
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    delays.push(Math.max(0, now - last - 1))
    last = now
  }, 1)
  await work()
  clearInterval(timer)
  return delays
}

/** Prints a figure with its goal. */
export function report(id: string, what: string, value: string, goal: string, met: boolean): void {
  const line = `${id.padEnd(4)} ${what.padEnd(58)} ${value.padStart(22)}   goal ${goal}${met ? '' : '   NOT MET'}`
  process.stdout.write(`${line}\n`)
}

/** Prints a ratio to a peer with its goal, and keeps it. */
export function compare(id: string, title: string, ratio: number, peer: Peer, goal?: Goal): void {
  const row = { title, ratio, peer, ...(goal !== undefined && { goal }) }
  report(id, title, times(ratio), bar(goal) || '(none)', isMet(row))
  record(row)
}
