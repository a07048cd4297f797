import { defineSignal, type Signal } from '@org/task-context/signals'

import type { Change, Resource, Row } from './resources/resource.ts'

/** What a signal tells. Ids only: who hears it reads the row as it is then. */
export interface Changed {
  readonly id: number
  /** The event it is part of; of an event, its own; `undefined` for what belongs to none. */
  readonly eventId: number | undefined
  readonly change: Change
}

/** The announcements of one service. */
export type Signals = Readonly<Record<NonNullable<Resource['signal']>, Signal<Changed>>>

/**
 * Makes the signals of a service; not shared between services, so that two in one process do not hear each other.
 *
 * Receivers hear after the commit. One that only enqueues connects with `delivery: 'sync'`: its job is then part of the
 * transaction, and a crash right after the commit cannot lose it.
 */
export function createSignals(): Signals {
  const define = (kind: string) =>
    defineSignal<Changed>(`${kind}.changed`, { doc: `One ${kind} was created, changed, trashed, restored or deleted.` })
  return {
    event: define('event'),
    session: define('session'),
    speaker: define('speaker'),
    microlocation: define('microlocation'),
    user: define('user'),
  }
}

/**
 * Tells of a change, inside the transaction that makes it.
 *
 * @throws the first failure of a receiver that takes part in the transaction; nothing is committed then.
 */
export async function announce(signals: Signals, resource: Resource, row: Row, change: Change): Promise<void> {
  if (resource.signal === undefined) return
  const eventId = row[resource.eventColumn ?? 'event_id'] as number | undefined
  const results = await signals[resource.signal].send({ id: row['id'] as number, eventId, change })
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
