import type { Entry } from '../config/config.ts'
import { messageOf, ProbeError } from '../errors.ts'
import { printableLine } from '../printable.ts'
import type { RunListener } from '../runner/listener.ts'
import type { Report } from '../runner/result.ts'
import type { Conversation } from './engine.ts'
import type { InsideMessage } from './messages.ts'
import { Progress } from './progress.ts'
import { readReport, readResult } from './read-report.ts'

/** Output of a run in a container that is read, in bytes: its user may write without end. */
const largestOutput = 32 * 1024 * 1024

/** What came out of a container. */
export interface Heard {
  readonly report: Report
  /** The container fell silent before its report; this one is made of what was known. */
  readonly silent: boolean
}

/**
 * Reads what a run in a container says until its report. One that falls silent, as a frozen container does, is given up
 * when the limit of the last probe that runs there is over; what it told by then counts.
 *
 * @throws {@link ProbeError} `PROBE_CONTAINER_EXEC` when what comes is no report, `PROBE_TIMEOUT` when nothing comes.
 */
export async function listen(
  conversation: Conversation,
  entries: readonly Entry[],
  { listener, signal }: { readonly listener?: RunListener | undefined; readonly signal: AbortSignal },
): Promise<Heard> {
  const { promise: silence, resolve: onSilence } = Promise.withResolvers<undefined>()
  const progress = new Progress(entries, { signal, onSilence: () => onSilence(undefined) })
  const output = conversation.output[Symbol.asyncIterator]()
  // A letter of several bytes may lie across two pieces.
  const decoder = new TextDecoder()
  let read = 0
  let waiting = ''
  let errors = ''
  let report: Report | undefined
  const take = (message: InsideMessage) => {
    if (message.kind === 'report') report = readReport(message.report, entries)
    else if (message.kind === 'started') {
      if (progress.started(message.id)) listener?.started?.(message.id)
    } else if (message.kind === 'finished') {
      const entry = entries.find(({ probe }) => probe.id === message.result?.id)
      const result = entry && readResult(message.result, entry)
      if (result && progress.finished(result)) listener?.finished?.(result)
    } else if (progress.knows(message.id)) listener?.line?.(message.id, printableLine(String(message.line)))
  }
  const tell = (whole: Report) => {
    for (const result of whole.results) if (progress.finished(result)) listener?.finished?.(result)
    return whole
  }
  try {
    for (;;) {
      const next = await Promise.race([output.next(), silence])
      if (next === undefined) return { report: tell(progress.giveUp()), silent: true }
      if (next.done === true) break
      const { stream, bytes } = next.value
      read += bytes.length
      if (read > largestOutput)
        throw new ProbeError('PROBE_CONTAINER_EXEC', 'The run in the container writes without end')
      if (stream === 'stderr') {
        errors += bytes.toString('utf8')
        continue
      }
      waiting += decoder.decode(bytes, { stream: true })
      const lines = waiting.split('\n')
      waiting = lines.pop() ?? ''
      for (const line of lines) {
        // What is not ours comes from the engine, which tells on this stream why a command did not start.
        if (line.startsWith('{')) take(JSON.parse(line) as InsideMessage)
        else errors += `${line}\n`
      }
    }
  } finally {
    progress.stop()
  }
  if (report === undefined) {
    const code = await conversation.exitCode()
    throw new ProbeError(
      'PROBE_CONTAINER_EXEC',
      `The run in the container ended with ${code} and no report: ${messageOf(`${errors}${waiting}`.trim())}`,
    )
  }
  return { report: tell(report), silent: false }
}
