/** Sorts statuses of parallel requests: which of them won is open. */
export const ascending = (statuses: readonly number[]): number[] => statuses.toSorted((left, right) => left - right)
