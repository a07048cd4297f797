/** Figures of a list of samples. */
export interface Summary {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  readonly average: number
  readonly median: number
}

/** Sums up samples; at least one. */
export function summarise(samples: readonly number[]): Summary {
  const sum = samples.reduce((total, sample) => total + sample, 0)
  return {
    count: samples.length,
    sum,
    min: Math.min(...samples),
    max: Math.max(...samples),
    average: sum / samples.length,
    median: percentile(samples, 50),
  }
}

/** Percentile by linear interpolation between the two nearest ranks, as R's type 7 and Python's `statistics` do. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const rank = ((sorted.length - 1) * percent) / 100
  const low = sorted[Math.floor(rank)] ?? NaN
  const high = sorted[Math.ceil(rank)] ?? low
  return low + (high - low) * (rank - Math.floor(rank))
}
