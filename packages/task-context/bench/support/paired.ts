import { type Goal, type Peer, record } from '@org/bench'

/** What one run of one side cost. */
export interface Cost {
  /** Processor time of this process per unit of work, in microseconds. */
  readonly cpuMicros: number
  /** Units of work per second of wall clock. */
  readonly perSecond: number
}

/** Measures `units` of work. */
export async function measure(units: number, work: () => void | Promise<void>): Promise<Cost> {
  globalThis.gc?.()
  return cost(units, await spend(work))
}

/** Processor time in microseconds, and seconds of wall clock. */
interface Spent {
  readonly micros: number
  readonly seconds: number
}

async function spend(work: () => void | Promise<void>): Promise<Spent> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { micros: user + system, seconds }
}

const cost = (units: number, { micros, seconds }: Spent): Cost => ({
  cpuMicros: micros / units,
  perSecond: units / seconds,
})

/** Runs of each side, of thousands of units, before any counts. */
const WARM_RUNS = 3

/** Ratios of ours to theirs, one per pair, sorted. */
export interface Pairs {
  readonly cpu: readonly number[]
  readonly rate: readonly number[]
  /** Difference of processor time per unit, in microseconds. */
  readonly cpuMicros: readonly number[]
}

/** Runs both sides in turns, who begins alternating, so that the machine's other load hits both alike. */
export async function paired(pairs: number, ours: () => Promise<Cost>, theirs: () => Promise<Cost>): Promise<Pairs> {
  // Both warm before the first pair counts.
  for (let round = 0; round < Math.min(WARM_RUNS, pairs); round += 1) {
    await theirs()
    await ours()
  }
  const costs: Costs[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = pair % 2 === 0 ? await ours() : undefined
    const other = await theirs()
    costs.push({ mine: first ?? (await ours()), other })
  }
  return compare(costs)
}

/** V8 compiles what was called some thousand times; a service has come to that point, so both sides are brought there. */
const WARM = 15_000

/** Units of work of one side in one slice. */
const SLICE = 25

/**
 * The same for work that comes in small units: the sides change after each {@link SLICE} of them, so that what disturbs
 * one disturbs the other.
 */
export async function interleaved(
  pairs: number,
  units: number,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
): Promise<Pairs> {
  const slice = (one: () => Promise<unknown>) =>
    spend(async () => {
      for (let n = 0; n < SLICE; n += 1) await one()
    })
  const round = async (count: number) => {
    const mine = { micros: 0, seconds: 0 }
    const other = { micros: 0, seconds: 0 }
    globalThis.gc?.()
    for (let done = 0; done < count; done += SLICE) {
      add(mine, await slice(ours))
      add(other, await slice(theirs))
    }
    return { mine: cost(count, mine), other: cost(count, other) }
  }
  await round(Math.min(WARM, units * pairs))
  const costs: Costs[] = []
  for (let pair = 0; pair < pairs; pair += 1) costs.push(await round(units))
  return compare(costs)
}

function add(sum: { micros: number; seconds: number }, { micros, seconds }: Spent): void {
  sum.micros += micros
  sum.seconds += seconds
}

interface Costs {
  readonly mine: Cost
  readonly other: Cost
}

function compare(costs: readonly Costs[]): Pairs {
  const all = (value: (costs: Costs) => number) => sorted(costs.map(value))
  return {
    cpu: all(({ mine, other }) => mine.cpuMicros / other.cpuMicros),
    rate: all(({ mine, other }) => mine.perSecond / other.perSecond),
    cpuMicros: all(({ mine, other }) => mine.cpuMicros - other.cpuMicros),
  }
}

/** Smallest first. */
export const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

/** One line of the table: figure, range, bar where there is one, and whether it is met. */
export function report(
  title: string,
  values: readonly number[],
  { goal, unit = '', peer }: { readonly goal?: Goal; readonly unit?: string; readonly peer?: Peer },
): void {
  const middle = values[Math.floor(values.length / 2)] ?? Number.NaN
  const [low, high] = [values[0] ?? Number.NaN, values.at(-1) ?? Number.NaN]
  const range = values.length > 1 ? ` (${format(low)} to ${format(high)})` : ''
  console.log(`${verdict(middle, goal)} ${title}: ${format(middle)}${unit}${range}${bar(goal, unit)}`)
  if (peer !== undefined)
    record({ title, ratio: middle, range: [low, high], peer, ...(goal !== undefined && { goal }) })
}

function verdict(value: number, goal: Goal | undefined): string {
  if (goal === undefined) return '      '
  const met = 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
  return met ? 'met   ' : 'MISSED'
}

function bar(goal: Goal | undefined, unit: string): string {
  if (goal === undefined) return ''
  return `, goal ${'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`}${unit}`
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}
