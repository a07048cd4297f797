import { SniffError } from '../errors.ts'
import { contentType } from '../policy/serving-headers.ts'
import { sniff } from '../sniff.ts'
import { type CommandIo, printable, UsageError } from './io.ts'

/** Flags of `content-sniff FILE…`. */
export interface SniffFlags {
  readonly json?: boolean | undefined
  readonly brief?: boolean | undefined
  readonly 'use-name'?: boolean | undefined
}

/** Prints one line for each file; returns 1 when one could not be read. */
export async function sniffCommand(files: readonly string[], flags: SniffFlags, io: CommandIo): Promise<number> {
  if (files.length === 0) throw new UsageError('Expected at least one file, or `-` for standard input')
  let code = 0
  for (const file of files) {
    if (io.signal.aborted) return 1
    try {
      const named = flags['use-name'] === true && file !== '-' ? { filename: file } : {}
      const result = await sniff(file === '-' ? process.stdin : file, named)
      if (flags.json === true) {
        io.stdout(`${printable(JSON.stringify({ file, ...result }))}\n`)
      } else {
        const marks = result.flags.length === 0 ? '' : ` [${result.flags.join(' ')}]`
        const type = contentType(result.mime, result.charset) + marks
        io.stdout(flags.brief === true ? `${type}\n` : `${printable(file)}: ${type}\n`)
      }
    } catch (error) {
      if (!(error instanceof SniffError)) throw error
      io.stderr(`${printable(`${file}: ${error.message}`)}\n`)
      code = 1
    }
  }
  return code
}
