import { open } from 'node:fs/promises'
import path from 'node:path'

import { SniffError } from '../errors.ts'
import type { PolicyMode } from '../policy/policy.ts'
import { createUploader } from '../uploader.ts'
import { type CommandIo, printable, UsageError } from './io.ts'
import { openTarget, type TargetOptions } from './target.ts'

/** Flags of `content-sniff upload`. */
export interface UploadFlags extends TargetOptions {
  readonly json?: boolean | undefined
  readonly mode?: string | undefined
  readonly allow?: readonly string[] | undefined
  readonly 'keep-names'?: boolean | undefined
  readonly overwrite?: boolean | undefined
}

const MODES: readonly string[] = ['enforce', 'correct', 'report'] satisfies PolicyMode[]

/** Stores files under their true types; returns 1 when one was refused. */
export async function uploadCommand(args: readonly string[], flags: UploadFlags, io: CommandIo): Promise<number> {
  const files = args.slice(0, -1)
  const last = args.at(-1)
  if (last === undefined || files.length === 0)
    throw new UsageError('Expected files and a target: upload FILE… s3://bucket/prefix')
  const mode = flags.mode ?? 'enforce'
  if (!MODES.includes(mode)) throw new UsageError(`Expected --mode to be one of ${MODES.join(', ')}, got ${mode}`)
  await using target = await openTarget(last, flags)
  const uploads = createUploader({
    store: target.store,
    policy: {
      mode: mode as PolicyMode,
      maxBytes: Infinity,
      idleTimeoutMs: 0,
      ...(flags.allow === undefined ? {} : { allow: flags.allow }),
    },
  })
  let code = 0
  for (const file of files) {
    if (io.signal.aborted) return 1
    try {
      await using handle = await open(file)
      const filename = path.basename(file)
      const key = flags['keep-names'] === true ? target.prefix + filename : undefined
      const stored = await uploads.put(handle, {
        filename,
        key,
        overwrite: flags.overwrite ?? false,
        signal: io.signal,
      })
      io.stdout(
        flags.json === true
          ? `${printable(JSON.stringify({ file, ...stored }))}\n`
          : `${printable(file)}: ${stored.key} ${stored.headers['content-type']} ${stored.disposition}\n`,
      )
    } catch (error) {
      if (error instanceof SniffError) io.stderr(`${printable(`${file}: ${error.code} ${error.message}`)}\n`)
      else if (error instanceof Error && 'syscall' in error) io.stderr(`${printable(`${file}: ${error.message}`)}\n`)
      else throw error
      code = 1
    }
  }
  return code
}
