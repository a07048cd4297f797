import { parseArgs } from 'node:util'

import { SniffError } from '../errors.ts'
import { fixCommand } from './fix-command.ts'
import { type CommandIo, printable, UsageError } from './io.ts'
import { sniffCommand } from './sniff-command.ts'
import { uploadCommand } from './upload-command.ts'

const HELP = `Usage:
  content-sniff [--json] [--brief] [--use-name] FILE…      what files are, by their bytes; - reads standard input
  content-sniff upload FILE… TARGET                        stores files under their true types
      --mode enforce|correct|report  --allow TYPE  --keep-names  --overwrite  --json
  content-sniff fix TARGET                                 finds objects stored as application/octet-stream
      --apply  corrects them in place   --state FILE  lets an interrupted run go on   --concurrency N  --json
TARGET is s3://bucket/prefix or a folder. For S3: --endpoint URL, --path-style; credentials as for any AWS tool.
`

/** Runs a command line; returns its exit code: 0 done, 1 something failed or was interrupted, 2 wrong usage. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await dispatch(argv, io)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const wrongFlag = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    const wrongUsage = error instanceof UsageError || wrongFlag
    // A store or a file that does not answer is the user's to mend; anything else is ours, with its stack.
    if (!wrongUsage && !(error instanceof SniffError) && !('syscall' in error)) throw error
    io.stderr(`content-sniff: ${printable(error.message)}\n`)
    return wrongUsage ? 2 : 1
  }
}

function dispatch(argv: readonly string[], io: CommandIo): Promise<number> | number {
  const [command, ...rest] = argv
  const bucket = { endpoint: { type: 'string' }, 'path-style': { type: 'boolean' }, json: { type: 'boolean' } } as const
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    io.stdout(HELP)
    return command === undefined ? 2 : 0
  }
  if (command === 'upload') {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: {
        ...bucket,
        mode: { type: 'string' },
        allow: { type: 'string', multiple: true },
        'keep-names': { type: 'boolean' },
        overwrite: { type: 'boolean' },
      },
    })
    return uploadCommand(positionals, values, io)
  }
  if (command === 'fix') {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: { ...bucket, apply: { type: 'boolean' }, state: { type: 'string' }, concurrency: { type: 'string' } },
    })
    return fixCommand(positionals, values, io)
  }
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: 'boolean' }, brief: { type: 'boolean', short: 'b' }, 'use-name': { type: 'boolean' } },
  })
  return sniffCommand(positionals, values, io)
}
