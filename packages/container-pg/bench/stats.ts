import { type Goal, type Peer, record } from '@org/bench'

/** Middle of a list of numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Time that work takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/**
 * Runs each contender once a round, in a turning order, so that what the machine does meanwhile meets all of them alike.
 *
 * @returns Milliseconds by contender.
 */
export async function interleaved<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, (round: number) => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] as Name
      times[name].push(await contenders[name](round))
    }
  }
  return times
}

/** A ratio of the table that is kept: how long `ours` takes, as a multiple of `theirs`. */
export interface Kept {
  readonly title: string
  readonly ours: string
  readonly theirs: string
  readonly peer: Peer
  readonly goal?: Goal
}

/** Prints medians, least values and the median of the pairwise ratios to the first contender, and keeps what is asked. */
export function report(
  title: string,
  times: Readonly<Record<string, readonly number[]>>,
  kept: readonly Kept[] = [],
): void {
  const [[, base] = ['', []]] = Object.entries(times)
  console.log(`\n${title}`)
  for (const [name, values] of Object.entries(times)) {
    const cells = [
      median(values).toFixed(0),
      Math.min(...values).toFixed(0),
      `${median(ratios(values, base)).toFixed(2)}x`,
    ]
    console.log(
      `  ${name.padEnd(44)} median ${(cells[0] ?? '').padStart(6)} ms   least ${(cells[1] ?? '').padStart(6)} ms   ${cells[2]}`,
    )
  }
  for (const { ours, theirs, ...row } of kept) {
    const pairs = ratios(times[ours] ?? [], times[theirs] ?? [])
    record({ ...row, ratio: median(pairs), range: [Math.min(...pairs), Math.max(...pairs)] })
  }
}

const ratios = (values: readonly number[], base: readonly number[]) =>
  values.map((value, round) => value / (base[round] ?? Number.NaN))
