import { createHmac, timingSafeEqual } from 'node:crypto'

import { TaskError } from '../errors.ts'
import { canonicalJson } from '../internal/canonical-json.ts'

/**
 * What a job carries in its `data`: the payload, and beside it everything of ours.
 *
 * In `data` and not in BullMQ's `telemetry.metadata`, which `Queue.add` overwrites whenever telemetry is on.
 */
export interface Envelope {
  /** Format of this envelope. */
  readonly v: 1
  /** Version of the payload; left out where it is 1, as each byte is stored with every job. */
  readonly n?: number
  /** Context, short form. */
  readonly c: Record<string, unknown>
  /** Payload. */
  readonly p: unknown
  /** Marks one enqueue where the caller chose the id; tells a first enqueue from a repeated one. */
  readonly k?: string
  /** Id of the schedule that makes these jobs; the context is then only who scheduled it. */
  readonly s?: string
  /** HMAC-SHA-256, base64url, over all of it and over where it belongs. */
  readonly h?: string
}

/** An envelope that was checked, its version said. */
export type Unsealed = Envelope & { readonly n: number }

/** Where an envelope belongs; part of the signature, so that a signed job cannot be moved or copied. */
export interface Address {
  readonly queue: string
  readonly name: string
  readonly id: string
}

/** Signs an envelope, when a secret is given. */
export function seal(envelope: Envelope, address: Address, secret: string | undefined): Envelope {
  return secret === undefined ? envelope : { ...envelope, h: signature(envelope, address, secret) }
}

/**
 * Checks what came out of a queue.
 *
 * @throws {@link TaskError} `TASK_POISON` when it is no envelope, `TASK_FORGED` when its signature is missing or wrong.
 */
export function unseal(data: unknown, address: Address, secret: string | undefined): Unsealed {
  if (typeof data !== 'object' || data === null) throw poison('an object')
  const { v, n = 1, c, p, k, s, h } = data as Record<string, unknown>
  if (v === 0) {
    const { why } = data as { readonly why?: unknown }
    throw new TaskError('TASK_POISON', `Expected a stored job that can be read, got one where ${String(why)}`)
  }
  if (v !== 1) throw poison('`v` to be 1')
  if (typeof n !== 'number' || !Number.isInteger(n) || n < 1) throw poison('`n` to be a version number')
  if (typeof c !== 'object' || c === null) throw poison('`c` to hold a context')
  const envelope: { -readonly [Key in keyof Unsealed]: Unsealed[Key] } = { v, n, c: c as Record<string, unknown>, p }
  if (typeof k === 'string') envelope.k = k
  if (typeof s === 'string') envelope.s = s
  if (secret !== undefined) {
    const expected = Buffer.from(signature(envelope, address, secret))
    const given = Buffer.from(typeof h === 'string' ? h : '')
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) {
      throw new TaskError('TASK_FORGED', 'Expected an envelope signed with our secret: somebody else wrote this job')
    }
  }
  return envelope
}

function poison(expected: string): TaskError {
  return new TaskError('TASK_POISON', `Expected an envelope with ${expected}: this job was not written by \`enqueue\``)
}

/** Canonical, because Postgres stores `jsonb` and hands keys back in its own order. */
function signature(envelope: Envelope, { queue, name, id }: Address, secret: string): string {
  // A schedule makes a new id per tick out of one envelope.
  const place = envelope.s === undefined ? id : ''
  const { v, n = 1, c, p, k, s } = envelope
  const text = canonicalJson([queue, name, place, v, n, c, p ?? null, k ?? null, s ?? null])
  return createHmac('sha256', secret).update(text).digest('base64url')
}
