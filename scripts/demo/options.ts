import path from 'node:path'
import { parseArgs } from 'node:util'

import { DemoError } from './child.ts'

/** What the person at the terminal asked for. */
export interface DemoOptions {
  readonly once: boolean
  readonly help: boolean
  /** Folder that holds all state of the demo. */
  readonly dataDir: string
  readonly hubPort: number
  readonly eventsPort: number
}

export const usage = `npm start [-- options]

  --once              run the probes against the running apps, print the table, stop; exit code of the probes
  --hub-port PORT     port of the hub (HUB_PORT, default 8000)
  --events-port PORT  port of the events API (EVENTS_PORT, default 8010)
  --data FOLDER       where all state lives (DEMO_DATA, default .data/demo)
  --help              this text
`

/**
 * Reads the command line, then the environment, then the defaults.
 *
 * @throws {@link DemoError} naming the option or variable that cannot be used.
 */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv, root: string): DemoOptions {
  const { values } = parse(argv)
  const port = (flag: 'hub-port' | 'events-port', variable: string, fallback: number): number => {
    const given = values[flag] ?? env[variable]
    if (given === undefined || given === '') return fallback
    const number = Number(given)
    if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number
    throw new DemoError(`Expected \`--${flag}\` (or ${variable}) to be a port from 1 to 65535, got \`${given}\``)
  }
  const hubPort = port('hub-port', 'HUB_PORT', 8000)
  const eventsPort = port('events-port', 'EVENTS_PORT', 8010)
  if (hubPort === eventsPort) {
    throw new DemoError(`Expected \`--hub-port\` and \`--events-port\` to differ, both are ${hubPort}`)
  }
  return {
    once: values.once ?? false,
    help: values.help ?? false,
    dataDir: path.resolve(values.data ?? env['DEMO_DATA'] ?? path.join(root, '.data', 'demo')),
    hubPort,
    eventsPort,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        data: { type: 'string' },
        'hub-port': { type: 'string' },
        'events-port': { type: 'string' },
      },
    })
  } catch (error) {
    throw new DemoError(`${(error as Error).message}\n\n${usage}`)
  }
}
