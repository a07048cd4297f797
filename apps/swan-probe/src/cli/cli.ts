import { messageOf, ProbeError } from '../errors.ts'
import { printable } from '../printable.ts'
import type { Surroundings } from './surroundings.ts'
import { usage } from './usage.ts'

type Command = (words: readonly string[], around: Surroundings) => Promise<number>

// Loaded when used: a probe that is run every minute should not wait for the page of the watcher.
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run-one.ts')).runOne,
  watch: async () => (await import('./watch.ts')).watch,
  health: async () => (await import('./health.ts')).health,
  list: async () => (await import('./describe.ts')).list,
  explain: async () => (await import('./describe.ts')).explain,
  validate: async () => (await import('./validate.ts')).validate,
  init: async () => (await import('./init.ts')).init,
}

/** Runs a command line and gives the exit code: 0 passed, 1 failed, 2 the command or the file cannot be used. */
export async function main(words: readonly string[], around: Surroundings): Promise<number> {
  // A reader that goes away, such as `| head`, is no failure of the probes.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  try {
    if (words.length === 0 || words.includes('--help') || words.includes('-h')) {
      process.stdout.write(usage)
      return words.length === 0 ? 2 : 0
    }
    const first = words[0] ?? ''
    const named = Object.hasOwn(commands, first) ? commands[first] : undefined
    if (named !== undefined) return await (await named())(words.slice(1), around)
    if (!first.startsWith('-')) {
      throw new ProbeError(
        'PROBE_USAGE',
        `Unknown command \`${first}\`; expected ${Object.keys(commands).join(', ')} or -c FILE`,
      )
    }
    const { runFile } = await import('./run-file.ts')
    return await runFile(words, around)
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error
    const kind = error.code === 'PROBE_CONFIG' ? '' : 'swan-probe: '
    process.stderr.write(printable(`${kind}${error.code === 'PROBE_CONFIG' ? error.message : messageOf(error)}\n`))
    if (error.code === 'PROBE_USAGE') process.stderr.write('swan-probe --help shows the ways to call it\n')
    return 2
  }
}
