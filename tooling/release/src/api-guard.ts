/** Sizes of a release, smallest first. */
export const bumps = ['none', 'patch', 'minor', 'major'] as const

/** Size of a release of one package. */
export type Bump = (typeof bumps)[number]

/** What is known about one package's change since the base. */
export interface PackageChange {
  readonly name: string
  /** Version that is published now. */
  readonly version: string
  /** Whether a file that ends up in the tarball changed. */
  readonly changed: boolean
  readonly reportBefore: string
  readonly reportAfter: string
  /** Largest bump that a changeset of this change asks for. */
  readonly asked: Bump
}

/** Splits a report into its titled blocks, so that moving one is no change. */
function blocks(report: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  let section = ''
  let lines: string[] | undefined
  for (const line of report.split('\n')) {
    if (line.startsWith('## ')) {
      section = line
      lines = undefined
    } else if (line.startsWith('### ')) {
      lines = []
      found.set(`${section} ${line}`, lines)
    } else if (line.trim() !== '') lines?.push(line.trim())
  }
  return found
}

/**
 * Tells the smallest release that a change of public types may have.
 *
 * A line that is gone or altered may break a caller; lines that only came are an addition. Below 1.0.0 a break is a
 * minor release, as npm's caret ranges treat it.
 *
 * @see https://semver.org/#spec-item-4 (initial development)
 */
export function requiredBump(change: Omit<PackageChange, 'name' | 'asked'>): Bump {
  const before = blocks(change.reportBefore)
  const after = blocks(change.reportAfter)
  let added = [...after.keys()].some((key) => !before.has(key))
  for (const [key, lines] of before) {
    const now = after.get(key)
    const left = [...(now ?? [])]
    for (const line of lines) {
      const at = left.indexOf(line)
      if (at === -1) return change.version.startsWith('0.') ? 'minor' : 'major'
      left.splice(at, 1)
    }
    if (left.length > 0) added = true
  }
  if (added) return 'minor'
  return change.changed ? 'patch' : 'none'
}

/** Says in a sentence each why a change may not be merged as it is; empty when it may. */
export function refusals(changes: readonly PackageChange[]): string[] {
  return changes.flatMap((change) => {
    const required = requiredBump(change)
    if (bumps.indexOf(change.asked) >= bumps.indexOf(required)) return []
    const has = change.asked === 'none' ? 'no changeset names it' : `its changeset says ${change.asked}`
    const why = required === 'patch' ? 'changed' : 'changed its public types'
    return [`${change.name} ${why}: it needs a ${required} changeset, and ${has}. Run \`npx pnpm changeset\`.`]
  })
}
