import type { Entry } from '../config/config.ts'
import { absolutePath } from '../config/paths.ts'
import { parseRange, type Threshold } from '../config/thresholds.ts'
import { probes } from '../probes/registry.ts'
import type { ProbeResult, Report } from '../runner/result.ts'

/** A probe as it travels into a container. */
export interface EntryMessage {
  readonly id: string
  readonly values: Readonly<Record<string, unknown>>
  readonly timeoutSeconds: number
  readonly thresholds: readonly (readonly [string, { readonly warn?: string; readonly crit?: string }])[]
}

/** What comes back, one JSON a line. */
export type InsideMessage =
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'line'; readonly id: string; readonly line: string }
  | { readonly kind: 'finished'; readonly result: ProbeResult }
  | { readonly kind: 'report'; readonly report: Report }

export function toMessage(entry: Entry): EntryMessage {
  const { probe, values, timeoutSeconds } = entry
  const thresholds = [...entry.thresholds].map(([name, { warn, crit }]) => {
    return [name, { ...(warn && { warn: warn.text }), ...(crit && { crit: crit.text }) }] as const
  })
  return { id: probe.id, values, timeoutSeconds, thresholds }
}

/** Takes a probe in; relative paths start where the container's own commands do. */
export function fromMessage(message: EntryMessage, base: string): Entry[] {
  const probe = probes.find((candidate) => candidate.id === message.id)
  if (probe === undefined) return []
  const thresholds = new Map<string, Threshold>(
    message.thresholds.map(([name, { warn, crit }]) => [name, { warn: parseRange(warn), crit: parseRange(crit) }]),
  )
  const values = Object.fromEntries(
    Object.entries(message.values).map(([name, value]) => {
      const place = probe.params[name]?.path === true && typeof value === 'string'
      return [name, place ? absolutePath(value, base) : value]
    }),
  )
  return [{ probe, values, timeoutSeconds: message.timeoutSeconds, thresholds, everySeconds: undefined }]
}
