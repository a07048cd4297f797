import type { Status } from '../runner/result.ts'
import { escapeMarkup } from './xml.ts'

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #e4e7ec; --paper: #fff; --wash: #f6f7f9;
  --pass: #12805c; --warn: #b25e09; --fail: #c4320a; --error: #7a2ebb; --skipped: #8a94a6; --bar: #3f6fd8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #2b3340; --paper: #12161c;
  --wash: #1a2029; --pass: #3ccb9a; --warn: #f5a742; --fail: #ff7a55; --error: #c49bff; --skipped: #7c8799; --bar: #7ea2f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--wash); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2.25rem 0 .6rem; }
p.sub { color: var(--soft); margin: .2rem 0 1.4rem; }
.tiles { display: flex; gap: .75rem; flex-wrap: wrap; }
.tile { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem; min-width: 7.5rem; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.2; } .tile span { color: var(--soft); }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: .6rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .5rem .8rem; text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: .85rem; } tr + tr > td { border-top: 1px solid var(--line); }
td.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.why { color: var(--soft); overflow-wrap: anywhere; } code, pre { font: 12.5px/1.5 ui-monospace, monospace; }
pre { margin: .5rem 0 0; padding: .7rem; background: var(--wash); border-radius: .4rem; overflow-x: auto; max-height: 22rem; }
.badge { font-size: .75rem; font-weight: 700; letter-spacing: .03em; white-space: nowrap; }
.badge::before { content: "\\25CF\\00A0"; }
.pass { color: var(--pass); } .warn { color: var(--warn); } .fail { color: var(--fail); } .error { color: var(--error); }
.skipped, .unknown { color: var(--skipped); } svg { display: block; max-width: 100%; height: auto; } td svg { max-width: none; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .axis { fill: var(--soft); } svg .grid { stroke: var(--line); }
details summary { cursor: pointer; color: var(--soft); } .figures { display: flex; flex-wrap: wrap; gap: .15rem 1rem; }
.figures span { white-space: nowrap; } .figures i { font-style: normal; color: var(--soft); }
`

/** Puts a body into a page that needs nothing else: no script, no font, no address of anywhere. */
export function page(title: string, body: string, options: { readonly refreshSeconds?: number } = {}): string {
  const refresh =
    options.refreshSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${options.refreshSeconds}">`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${escapeMarkup(title)}</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><main>
${body}
</main></body></html>
`
}

const words: Readonly<Record<Status | 'unknown', string>> = {
  pass: 'PASS',
  warn: 'WARN',
  fail: 'FAIL',
  error: 'ERROR',
  skipped: 'SKIPPED',
  unknown: 'NOT YET',
}

/** A verdict in its colour, and in words for those who see no colour. */
export const badge = (status: Status | 'unknown'): string => `<span class="badge ${status}">${words[status]}</span>`

/** A number with a word below it. */
export const tile = (value: string, label: string, tone = ''): string =>
  `<div class="tile"><b class="${tone}">${escapeMarkup(value)}</b><span>${escapeMarkup(label)}</span></div>`
