/** The value that a share of all values lies below. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** The middle value. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)
