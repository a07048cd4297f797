import { constants } from 'node:os'

import { ProbeError } from '../errors.ts'
import { operations } from './operations/index.ts'
import type { Reply, Request } from './protocol.ts'

/**
 * The child's side: takes one request at a time, does it with blocking calls, answers.
 *
 * Blocking is the point: a call that hangs takes this process with it and nothing else.
 */
export function runHelper(): void {
  const send = (reply: Reply) => process.send?.(reply)
  process.on('message', (request: Request) => {
    try {
      const run = operations[request.operation] as (input: unknown, step: (name: string) => void) => unknown
      const output = run(request.input, (step) => send({ kind: 'step', step }))
      send({ kind: 'done', output })
    } catch (error) {
      send(failure(error))
    }
  })
  send({ kind: 'ready' })
  // The runner is gone: nobody waits for an answer.
  process.on('disconnect', () => process.exit(0))
  // An interrupt at the terminal reaches the whole group; the runner decides when helpers end.
  process.on('SIGINT', () => {})
}

function failure(error: unknown): Reply {
  const { message, errno } = error as NodeJS.ErrnoException
  if (error instanceof ProbeError) return { kind: 'failed', code: error.code, message, errno: undefined }
  const name = errno === undefined ? undefined : nameOf(-errno)
  return { kind: 'failed', code: name === undefined ? 'PROBE_CRASHED' : 'PROBE_FILE', message, errno: name }
}

/** The name of an error number; Node's own errors have none for ESTALE and EDQUOT. */
function nameOf(number: number): string | undefined {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0]
}
