/** Share of lines that ran, in percent with one decimal, by package name. */
export type Figures = Readonly<Record<string, number>>

/** How far a figure may fall before it counts, in percentage points: races decide which line of a retry runs. */
const slack = 0.5

/**
 * Adds up vitest's summary by package.
 *
 * @param summary - Content of `coverage-summary.json`: absolute file to its counts.
 * @param folders - Package name to its absolute folder.
 */
export function figuresOf(
  summary: Readonly<Record<string, { readonly lines: { readonly total: number; readonly covered: number } }>>,
  folders: ReadonlyMap<string, string>,
): Figures {
  const figures: Record<string, number> = {}
  for (const [name, folder] of folders) {
    let total = 0
    let covered = 0
    for (const [file, { lines }] of Object.entries(summary)) {
      if (!file.startsWith(`${folder}/`)) continue
      total += lines.total
      covered += lines.covered
    }
    figures[name] = total === 0 ? 0 : Math.floor((covered / total) * 1000) / 10
  }
  return figures
}

/** Says in a sentence each which figures fell; a package that is new has nothing to fall from. */
export function fallen(before: Figures, after: Figures): string[] {
  return Object.entries(before).flatMap(([name, figure]) => {
    const now = after[name] ?? 0
    if (now >= figure - slack) return []
    return [`${name}: ${now} % of its lines are covered, it was ${figure} %. Test what the change added.`]
  })
}

/** The figures to keep: what is better than before replaces it, what is worse within the slack does not. */
export function raised(before: Figures, after: Figures): Figures {
  return Object.fromEntries(Object.entries(after).map(([name, now]) => [name, Math.max(now, before[name] ?? 0)]))
}
