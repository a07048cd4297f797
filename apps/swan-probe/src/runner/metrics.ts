import type { Thresholds } from '../config/thresholds.ts'
import { breaks } from '../config/thresholds.ts'
import type { Measurement } from '../probes/probe.ts'
import type { Metric } from './result.ts'
import { percentile } from './statistics.ts'

/** Samples of one run by name. */
export class Samples {
  readonly #byName = new Map<string, { readonly unit: Measurement['unit']; readonly values: number[] }>()

  add({ name, value, unit }: Measurement): void {
    const known = this.#byName.get(name)
    if (known === undefined) this.#byName.set(name, { unit, values: [value] })
    else known.values.push(value)
  }

  get values(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries([...this.#byName].map(([name, { values }]) => [name, values]))
  }

  /** One metric per name: the value itself, or of several samples the median, and percentiles that somebody limits. */
  metrics(thresholds: Thresholds): readonly Metric[] {
    const metrics: Metric[] = []
    const add = (name: string, value: number, unit: Measurement['unit']) =>
      metrics.push({ name, value, unit, warn: thresholds.get(name)?.warn, crit: thresholds.get(name)?.crit })
    for (const [name, { unit, values }] of this.#byName) {
      add(name, percentile(values, 50), unit)
      if (values.length > 1) {
        add(`${name}_p95`, percentile(values, 95), unit)
        add(`${name}_max`, Math.max(...values), unit)
        add(`${name}_min`, Math.min(...values), unit)
      }
      for (const limited of thresholds.keys()) {
        const percent = /_p(\d{1,2})$/.exec(limited)?.[1]
        const wanted = limited.replace(/_(p\d{1,2}|max|min)$/, '') === name && limited !== name
        if (!wanted || metrics.some((metric) => metric.name === limited)) continue
        add(limited, percent === undefined ? (values[0] ?? NaN) : percentile(values, Number(percent)), unit)
      }
    }
    return metrics
  }
}

/** Finds the worst limit that is broken, for the verdict and its message. */
export function judgeMetrics(metrics: readonly Metric[]): {
  readonly status: 'pass' | 'warn' | 'fail'
  readonly message?: string
} {
  for (const [key, status] of [
    ['crit', 'fail'],
    ['warn', 'warn'],
  ] as const) {
    for (const metric of metrics) {
      const range = metric[key]
      if (range !== undefined && breaks(range, metric.value)) {
        const value = `${Number(metric.value.toPrecision(4))} ${metric.unit}`
        return {
          status,
          message: `${metric.name} is ${value}, the ${key === 'crit' ? 'critical' : 'warning'} range is ${range.text}`,
        }
      }
    }
  }
  return { status: 'pass' }
}
