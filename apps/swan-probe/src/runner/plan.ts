import type { Entry } from '../config/config.ts'
import type { Others } from '../probes/probe.ts'

/** One probe of a run and what it waits for. */
export interface Node {
  readonly entry: Entry
  readonly id: string
  /** Probes with the same chain share what they make, and are put away together. */
  readonly chain: string
  readonly after: readonly string[]
  readonly needs: readonly string[]
}

/** Works out which probe waits for which. What is not in the run is not waited for. */
export function planRun(entries: readonly Entry[]): readonly Node[] {
  const byId = new Map(entries.map((entry) => [entry.probe.id, entry]))
  const others: Others = { values: (id) => byId.get(id)?.values }
  return entries.map((entry) => {
    const { id } = entry.probe
    const order = entry.probe.order?.(entry.values, others)
    const present = (ids: readonly string[] = []) => ids.filter((other) => other !== id && byId.has(other))
    const after = present(order?.after)
    return {
      entry,
      id,
      chain: order?.chain ?? id,
      after,
      needs: present(order?.needs).filter((other) => after.includes(other)),
    }
  })
}
