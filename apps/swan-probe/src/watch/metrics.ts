import { renderFamilies } from '../reports/prometheus.ts'
import { passed } from '../runner/result.ts'
import type { Watcher } from './watcher.ts'

/** Writes what the watcher knows in Prometheus' text form. */
export function renderMetrics(watcher: Watcher): string {
  const { probes } = watcher
  const of = ({ entry: { probe } }: (typeof probes)[number]) => ({ group: probe.group, probe: probe.name })
  const known = probes.filter((probe) => probe.state !== 'unknown')
  const ran = probes.flatMap((probe) =>
    probe.last === undefined || probe.last.status === 'skipped' ? [] : [{ labels: of(probe), last: probe.last }],
  )
  return renderFamilies([
    {
      name: 'swan_probe_up',
      help: 'State of the probe after the thresholds, 1 or 0.',
      rows: known.map((probe) => ({ labels: of(probe), value: probe.state === 'up' ? 1 : 0 })),
    },
    {
      name: 'swan_probe_success',
      help: 'Whether the last run passed, 1 or 0.',
      rows: ran.map(({ labels, last }) => ({ labels, value: passed(last.status) ? 1 : 0 })),
    },
    {
      name: 'swan_probe_duration_seconds',
      help: 'How long the last run took.',
      rows: ran.map(({ labels, last }) => ({ labels, value: last.seconds })),
    },
    {
      name: 'swan_probe_measurement',
      help: 'What the last run measured; the unit is part of the name.',
      rows: ran.flatMap(({ labels, last }) =>
        last.metrics
          .filter((metric) => metric.name !== 'seconds' && Number.isFinite(metric.value))
          .map((metric) => ({ labels: { ...labels, name: metric.name }, value: metric.value })),
      ),
    },
    {
      name: 'swan_probe_last_run_timestamp_seconds',
      help: 'When the last run ended, in seconds since 1970.',
      rows: ran.map(({ labels, last }) => ({ labels, value: last.endedAt / 1000 })),
    },
    {
      name: 'swan_probe_runs_total',
      help: 'Runs of the probe since the watcher started.',
      type: 'counter',
      rows: probes.map((probe) => ({ labels: of(probe), value: probe.runs })),
    },
    {
      name: 'swan_probe_failures_total',
      help: 'Runs that did not pass since the watcher started.',
      type: 'counter',
      rows: probes.map((probe) => ({ labels: of(probe), value: probe.failures })),
    },
    {
      name: 'swan_probe_health',
      help: 'State of a health set, 1 or 0.',
      rows: watcher.health.names.map((set) => ({
        labels: { set },
        value: watcher.health.answer(set)?.ok === true ? 1 : 0,
      })),
    },
  ])
}
