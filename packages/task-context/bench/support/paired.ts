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
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMicros: (user + system) / units, perSecond: units / seconds }
}

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
  await theirs()
  await ours()
  const cpu: number[] = []
  const rate: number[] = []
  const cpuMicros: number[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = pair % 2 === 0 ? await ours() : undefined
    const other = await theirs()
    const mine = first ?? (await ours())
    cpu.push(mine.cpuMicros / other.cpuMicros)
    rate.push(mine.perSecond / other.perSecond)
    cpuMicros.push(mine.cpuMicros - other.cpuMicros)
  }
  const sorted = (values: number[]) => values.toSorted((a, b) => a - b)
  return { cpu: sorted(cpu), rate: sorted(rate), cpuMicros: sorted(cpuMicros) }
}

/** The middle of sorted values. */
export function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** One line of the table: figure, range, bar, and whether it is met. */
export function report(
  name: string,
  sorted: readonly number[],
  bar: { readonly atMost?: number; readonly atLeast?: number },
  unit = '',
): void {
  const middle = median(sorted)
  const { atMost, atLeast } = bar
  const met = (atMost === undefined || middle <= atMost) && (atLeast === undefined || middle >= atLeast)
  const range = sorted.length > 1 ? ` (${format(sorted[0]!)} to ${format(sorted.at(-1)!)})` : ''
  const goal = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
  console.log(`${met ? 'met   ' : 'MISSED'} ${name}: ${format(middle)}${unit}${range}, goal ${goal}${unit}`)
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}
