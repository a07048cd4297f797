import { readFile, rename, rm, writeFile } from 'node:fs/promises'

import { fixTypes, type FixEvent } from '../fix.ts'
import { type CommandIo, printable, UsageError } from './io.ts'
import { Progress } from './progress.ts'
import { openTarget, type TargetOptions } from './target.ts'

/** Flags of `content-sniff fix`. */
export interface FixFlags extends TargetOptions {
  readonly apply?: boolean | undefined
  readonly json?: boolean | undefined
  readonly state?: string | undefined
  readonly concurrency?: string | undefined
}

/** Objects between two notes of how far a run came. */
const NOTE_EVERY = 50

/** Gives stored objects their true types; returns 1 when some failed or the run was interrupted. */
export async function fixCommand(args: readonly string[], flags: FixFlags, io: CommandIo): Promise<number> {
  const [place, ...rest] = args
  if (place === undefined || rest.length > 0) throw new UsageError('Expected one target: fix s3://bucket/prefix')
  const concurrency = Number(flags.concurrency ?? 8)
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new UsageError(`Expected --concurrency to be at least 1, got ${flags.concurrency}`)
  // The keys are whatever others chose.
  await using target = await openTarget(place, flags, { anyKey: true })
  const after = await readState(flags.state, place)
  if (after !== undefined) io.stderr(`going on after ${printable(after)}\n`)

  const counts: Record<FixEvent['outcome'], number> = { changed: 0, 'would-change': 0, kept: 0, unknown: 0, failed: 0 }
  const progress = new Progress(io)
  let seen = 0
  let last: string | undefined
  const events = fixTypes(target.store, {
    prefix: target.prefix,
    apply: flags.apply ?? false,
    concurrency,
    signal: io.signal,
    ...(after === undefined ? {} : { after }),
  })
  for await (const event of events) {
    // What an interruption made fail is not done; the next run starts in front of it.
    if (io.signal.aborted && event.outcome === 'failed') break
    counts[event.outcome] += 1
    seen += 1
    if (event.outcome !== 'kept') {
      progress.clear()
      io.stdout(`${printable(flags.json === true ? toJson(event) : describe(event))}\n`)
    }
    // A failed object holds the mark back, so that the next run meets it again.
    if (counts.failed === 0) last = event.key
    if (seen % NOTE_EVERY === 0) await writeState(flags.state, place, last)
    progress.show(`${seen} looked at, ${counts.changed + counts['would-change']} to correct, ${counts.failed} failed`)
  }
  progress.clear()

  const interrupted = io.signal.aborted
  if (interrupted || counts.failed > 0) await writeState(flags.state, place, last)
  else if (flags.state !== undefined) await rm(flags.state, { force: true })
  const verb =
    flags.apply === true
      ? `${counts.changed} corrected`
      : `${counts['would-change']} would be corrected (run again with --apply)`
  io.stderr(
    `${seen} looked at, ${verb}, ${counts.kept} have a type, ${counts.unknown} unknown, ${counts.failed} failed${interrupted ? ', interrupted' : ''}\n`,
  )
  return interrupted || counts.failed > 0 ? 1 : 0
}

/** An error says nothing of itself in JSON. */
const toJson = ({ error, ...event }: FixEvent): string =>
  JSON.stringify({ ...event, ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }) })

function describe(event: FixEvent): string {
  if (event.outcome === 'failed') return `${event.key}: ${event.error?.message ?? 'failed'}`
  if (event.outcome === 'unknown') return `${event.key}: unknown, left as it is`
  return `${event.key}: ${event.before ?? 'no type'} -> ${event.after ?? ''}${event.outcome === 'would-change' ? ' (dry run)' : ''}`
}

/** The last key of a former run on the same target. */
async function readState(file: string | undefined, target: string): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const state = parseJson(text)
  if (
    typeof state !== 'object' ||
    state === null ||
    !('target' in state) ||
    !('after' in state) ||
    typeof state.after !== 'string'
  ) {
    throw new UsageError(`Expected ${file} to be a state file of this command`)
  }
  if (state.target !== target)
    throw new UsageError(`Expected ${file} to belong to ${target}, it belongs to ${String(state.target)}`)
  return state.after
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function writeState(file: string | undefined, target: string, after: string | undefined): Promise<void> {
  if (file === undefined || after === undefined) return
  await writeFile(`${file}.new`, `${JSON.stringify({ target, after })}\n`)
  await rename(`${file}.new`, file)
}
