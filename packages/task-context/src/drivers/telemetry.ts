import type { ContextManager, Telemetry } from 'bullmq'

/**
 * Makes telemetry safe against what is stored in a queue.
 *
 * bullmq-otel parses a job's metadata unguarded; a malformed one stops a worker of concurrency 1 and ends the process
 * of a larger one. A job whose trace cannot be read starts a trace of its own.
 */
export function guardTelemetry(telemetry: Telemetry): Telemetry {
  const { contextManager } = telemetry
  const guarded: ContextManager = {
    with: (context, fn) => contextManager.with(context, fn),
    active: () => contextManager.active(),
    getMetadata: (context) => contextManager.getMetadata(context),
    fromMetadata(active, metadata) {
      try {
        return contextManager.fromMetadata(active, metadata)
      } catch {
        return active
      }
    },
    ...(contextManager.root && { root: () => contextManager.root!() }),
  }
  return { tracer: telemetry.tracer, contextManager: guarded, ...(telemetry.meter && { meter: telemetry.meter }) }
}
