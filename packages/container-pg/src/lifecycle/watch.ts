import { setTimeout as delay } from 'node:timers/promises'

import { type Context, LABEL, rootLabel } from './context.ts'
import { reconcile, type Reconciliation } from './reconcile.ts'

/** Something that happened to a server. */
export interface ServerEvent {
  readonly name: string
  /** `ended` by itself or on request. */
  readonly kind: 'started' | 'ended' | 'out-of-memory'
  /** RFC 3339. */
  readonly at: string
}

const KINDS: Readonly<Record<string, ServerEvent['kind']>> = {
  start: 'started',
  die: 'ended',
  oom: 'out-of-memory',
}

/** Reports what happens to servers until the signal; ends when the engine goes away. */
export async function* serverEvents(context: Context, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  for await (const { action, labels, timeMs } of context.engine.events(rootLabel(context), signal)) {
    const kind = KINDS[action]
    const name = labels[LABEL.name]
    if (kind !== undefined && name !== undefined) yield { name, kind, at: new Date(timeMs).toISOString() }
  }
}

/** Pause before the engine is asked again after it went away, in milliseconds. */
const RETRY_MS = 1000

/**
 * Keeps servers as they are recorded: reconciles at once, and again whenever the engine's event stream ends, which is what a
 * restart of the engine looks like.
 *
 * @param report - Hears of every reconciliation, and of everything that stood in the way of one; the next one is tried all the
 * same.
 */
export async function keep(
  context: Context,
  signal: AbortSignal,
  report: (result: Reconciliation | Error) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      report(await reconcile(context))
      for await (const _event of serverEvents(context, signal)) continue
    } catch (error) {
      report(error as Error)
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => {})
  }
}
