import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Figures for Prometheus; a registry of its own, so that two services in one process do not mix. */
export interface Metrics {
  /** Counts a request by operation, not by path: paths are as many as rows. */
  readonly observe: (operation: string, method: string, status: number, seconds: number) => void
  readonly countJob: (job: string, outcome: 'done' | 'failed') => void
  readonly inFlight: { readonly inc: () => void; readonly dec: () => void }
  readonly contentType: string
  readonly text: () => Promise<string>
}

/** @param options - `process`: measures memory, event loop and garbage collection, too; once a process. */
export function createMetrics(options: { readonly process: boolean }): Metrics {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer, by operation and status.',
    labelNames: ['operation', 'method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  })
  const jobs = new Counter({ name: 'jobs_total', help: 'Runs of jobs.', labelNames: ['job', 'outcome'], registers })
  const inFlight = new Gauge({ name: 'http_requests_in_flight', help: 'Requests being answered.', registers })
  return {
    observe: (operation, method, status, seconds) =>
      requests.observe({ operation, method, status: String(status) }, seconds),
    countJob: (job, outcome) => jobs.inc({ job, outcome }),
    inFlight,
    contentType: registry.contentType,
    text: () => registry.metrics(),
  }
}
