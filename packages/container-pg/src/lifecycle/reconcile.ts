import type { ContainerFacts } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import { tryLock } from '../internal/kernel-lock.ts'
import type { ServerRecord } from '../storage/records.ts'
import { type Context, LABEL, lockName, rootLabel } from './context.ts'
import { startServer } from './create.ts'
import { discard, stopContainer } from './remove.ts'

/** What a reconciliation did, by server name. */
export interface Reconciliation {
  /** Should run and did not. */
  readonly started: readonly string[]
  /** Should not run and did. */
  readonly stopped: readonly string[]
  /** Left half-way by a killed create or remove; now gone. */
  readonly finished: readonly string[]
  /** Somebody else works on them right now. */
  readonly skipped: readonly string[]
  /** Could not be brought to their desired state. */
  readonly failed: readonly { readonly name: string; readonly error: Error }[]
}

type Outcome = 'started' | 'stopped' | 'finished' | 'skipped' | 'fine'

/** Compares each record with what the engine has and closes the gap. Never touches what is not recorded. */
export async function reconcile(context: Context): Promise<Reconciliation> {
  const result = { started: [], stopped: [], finished: [], skipped: [], failed: [] } as {
    [Key in Exclude<Outcome, 'fine'>]: string[]
  } & { failed: { name: string; error: Error }[] }
  for (const { name } of await context.records.all()) {
    try {
      const outcome = await reconcileOne(context, name)
      if (outcome !== 'fine') result[outcome].push(name)
    } catch (error) {
      // An engine that is away or hangs fails all of them alike.
      if (error instanceof ContainerPgError && /^ENGINE_(UNREACHABLE|TIMEOUT)$/.test(error.code)) throw error
      result.failed.push({ name, error: error as Error })
    }
  }
  return result
}

async function reconcileOne(context: Context, name: string): Promise<Outcome> {
  await using lock = await tryLock(lockName(context, name))
  if (lock === undefined) return 'skipped'
  const record = await context.records.get(name)
  if (record === undefined) return 'fine'
  const running = await isRunning(context, record)
  switch (record.desired) {
    case 'creating':
    case 'removing':
    case 'erasing':
      if (record.desired === 'removing') await stopContainer(context, record)
      await discard(context, record)
      return 'finished'
    case 'running':
      if (running) return 'fine'
      await startServer(context, record)
      return 'started'
    case 'stopped':
      if (!running) return 'fine'
      await stopContainer(context, record)
      return 'stopped'
  }
}

async function isRunning(context: Context, { name }: ServerRecord): Promise<boolean> {
  const containers: readonly ContainerFacts[] = await context.engine.list({ label: rootLabel(context), running: true })
  return containers.some((container) => container.labels[LABEL.name] === name)
}
