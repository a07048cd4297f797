import type { Results } from './results.ts'
import { bar, isMet, type Row, times } from './row.ts'

const line = ({ title, ratio, range, goal, peer }: Row): string => {
  const spread = range === undefined ? '' : ` (${range.map((value) => times(value).slice(0, -2)).join('–')})`
  const verdict = goal === undefined ? '' : isMet({ ratio, goal }) ? 'met' : '**missed**'
  return `| ${title} | ${times(ratio)}${spread} | ${bar(goal)} | ${verdict} | ${peer.name} ${peer.version} |`
}

/** The page of all results: for each bench its chart, its table and how to run it again. */
export function page(all: readonly Results[]): string {
  const sections = all.map(({ name, command, day, machine, rows }) =>
    [
      `## ${name}`,
      '',
      `![Ratios of ${name} to its peers](results/${fileOf(name)}.svg)`,
      '',
      '| what | ratio (range) | goal | | peer |',
      '| --- | --- | --- | --- | --- |',
      ...rows.map(line),
      '',
      `\`${command}\`, ${day}, ${machine}`,
      '',
    ].join('\n'),
  )
  return [
    '# Benchmarks',
    '',
    'Each figure is ours ÷ a peer’s, both measured in one run, turn by turn; the range is that of the pairs. `pnpm bench` measures again and writes this page; `pnpm bench --quick` runs each bench briefly, as CI does, and keeps nothing. A missed goal is shown as one.',
    '',
    ...sections,
  ].join('\n')
}

/** Name of a bench's files: the package without its scope. */
export const fileOf = (name: string): string => name.replace(/^@[^/]+\//, '')
