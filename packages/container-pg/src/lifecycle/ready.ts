import { setTimeout as delay } from 'node:timers/promises'

import type { ContainerFacts } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import type { Login } from '../postgres/login.ts'
import type { Context } from './context.ts'

/** Pause between knocks at the door of a server whose log says nothing we understand, in milliseconds. */
const QUIET_POLL_MS = 500
/** The same when the log cannot be followed. */
const BLIND_POLL_MS = 100
/** What a server writes when one knocks too early; a hundred such lines would hide what it said itself. */
const KNOCKED = /FATAL: {2}the database system is starting up/

/** How much of a line an error carries; a statement in the log can have megabytes. */
const LONGEST_LINE = 1000

/** How to find out whether a server is ready. */
export interface Door {
  /** Asks whether somebody would be let in, without a password. */
  readonly knock: () => Promise<Login>
  /** Proves it: a login, and a query. */
  readonly login: () => Promise<Login>
}

/**
 * Waits until a login through the published port works.
 *
 * The server's own line is the cue, the login is the proof: a first start writes the line twice, and an open port shows the
 * engine's proxy alone. Where no cue comes the door is knocked at instead, so that a login is only tried when it may work.
 *
 * @throws {@link ContainerPgError} `WRONG_PASSWORD`, `SERVER_RECOVERING` when it still recovers at the deadline, and what
 * {@link explainEnd} finds when the container ended.
 */
export async function waitUntilReady(
  context: Context,
  { id, startedAt }: ContainerFacts,
  name: string,
  { knock, login }: Door,
): Promise<void> {
  const stop = new AbortController()
  const tail: string[] = []
  let cue = Promise.withResolvers<boolean>()
  let ended = false
  const following = (async () => {
    try {
      for await (const line of context.engine.logs(id, { follow: true, since: startedAt, signal: stop.signal })) {
        if (!KNOCKED.test(line)) tail.push(line.slice(0, LONGEST_LINE))
        if (tail.length > 20) tail.shift()
        if (line.includes('ready to accept connections')) cue.resolve(true)
      }
    } catch {
      // The connection to the engine ended; the polls go on, and the engine is asked below.
    }
    ended = true
    cue.resolve(false)
  })()

  try {
    let last: Login | undefined
    for (const deadline = performance.now() + context.readyTimeoutMs; performance.now() < deadline;) {
      const pause = ended ? BLIND_POLL_MS : QUIET_POLL_MS
      const cued = await Promise.race([cue.promise, delay(pause, undefined, { signal: stop.signal })])
      if (cued !== undefined) cue = Promise.withResolvers<boolean>()
      if (ended) {
        const facts = await context.engine.inspect(id)
        if (facts?.running !== true) throw explainEnd(name, facts, tail)
      }
      const heard = cued === true ? undefined : await Promise.race([knock(), cue.promise])
      // A cue that comes while nobody opens goes before the knock.
      if (typeof heard === 'boolean') continue
      last = heard === undefined || heard.kind === 'ok' ? await login() : heard
      if (last.kind === 'ok') return
      if (last.kind === 'refused') {
        throw new ContainerPgError('WRONG_PASSWORD', `Server ${name} refuses this administrator's password`, {
          remedy: 'Give the password that the data was made with; a new one is set with rotatePassword.',
        })
      }
    }
    const seconds = context.readyTimeoutMs / 1000
    if (last?.kind === 'starting') {
      throw new ContainerPgError('SERVER_RECOVERING', `Server ${name} still recovers after ${seconds} s`, {
        remedy: 'Let it run and ask again.',
        logTail: tail,
      })
    }
    throw new ContainerPgError('SERVER_FAILED', `Server ${name} gave no answer within ${seconds} s`, { logTail: tail })
  } finally {
    stop.abort()
    await following
  }
}

/** Exit codes of the container's first process, see `launch.ts`. */
export const EXIT_LOCKED = 75
export const EXIT_NO_FLOCK = 76

/** Says why a container ended, from its exit code and its last lines. */
function explainEnd(name: string, facts: ContainerFacts | undefined, logTail: readonly string[]): ContainerPgError {
  const text = logTail.join('\n')
  const lastWord = logTail.findLast((line) => /FATAL|PANIC|error/i.test(line)) ?? logTail.at(-1)
  const because = lastWord === undefined ? '' : `: ${lastWord}`
  if (facts === undefined) {
    return new ContainerPgError('SERVER_FAILED', `The container of server ${name} was removed while it started`, {
      logTail,
    })
  }
  if (facts.exitCode === EXIT_LOCKED) {
    return new ContainerPgError('STORAGE_IN_USE', `Another server runs on the folder of ${name}`, {
      remedy: 'Stop that one first.',
      logTail,
    })
  }
  if (facts.exitCode === EXIT_NO_FLOCK) {
    return new ContainerPgError('IMAGE_UNFIT', 'The image has no program `flock`, which guards the folder', {
      remedy: 'Use the official image or add util-linux.',
      logTail,
    })
  }
  if (/No space left on device/i.test(text)) {
    return new ContainerPgError('DISK_FULL', `The disk of server ${name} is full${because}`, {
      remedy: 'Free some space there, then start it again; nothing was removed.',
      logTail,
    })
  }
  if (/database files are incompatible with server|initialized by PostgreSQL version/.test(text)) {
    return new ContainerPgError(
      'VERSION_MISMATCH',
      `The data of server ${name} was made by another version${because}`,
      {
        remedy: 'Use an image with the same major version.',
        logTail,
      },
    )
  }
  if (facts.outOfMemory || /Cannot allocate memory/.test(text)) {
    return new ContainerPgError(
      'OUT_OF_MEMORY',
      `Server ${name} was ended because it needed more memory than its limit`,
      {
        remedy: 'Raise `limits.memoryMiB`, or lower shared_buffers or work_mem.',
        logTail,
      },
    )
  }
  return new ContainerPgError(
    'SERVER_FAILED',
    `Server ${name} ended with code ${facts.exitCode ?? 'unknown'}${because}`,
    {
      remedy: 'See `logTail`.',
      logTail,
    },
  )
}
