import type { FormatName } from '../cli/formats.ts'
import type { Report } from '../runner/result.ts'

type Renderer = (report: Report, options: { readonly colour: boolean }) => string

const renderers: Readonly<Record<FormatName, () => Promise<Renderer>>> = {
  table: async () => (await import('./table.ts')).renderTable,
  log: async () => (await import('./totals.ts')).renderTotals,
  json: async () => (await import('./json.ts')).renderJson,
  junit: async () => (await import('./junit.ts')).renderJunit,
  nagios: async () => (await import('./nagios.ts')).renderNagios,
  prometheus: async () => (await import('./prometheus.ts')).renderPrometheus,
  html: async () => (await import('./html.ts')).renderHtml,
}

/** Writes a report in one of its forms. */
export async function renderReport(
  format: FormatName,
  report: Report,
  options: { readonly colour: boolean },
): Promise<string> {
  return (await renderers[format]())(report, options)
}
