import { parseArgs } from 'node:util'

import { ContainerPgError } from '../errors.ts'
import type { Server } from '../lifecycle/view.ts'
import { createProvisioner, type Provisioner } from '../provisioner.ts'
import { diagnose } from './doctor.ts'
import { askPassword, readPasswordFile } from './password.ts'
import { openPsql } from './psql.ts'
import { serve } from './serve.ts'
import type { World } from './world.ts'

const USAGE = `container-pg: Postgres servers in containers, with storage that outlives them

  container-pg serve [--port 8080]            HTTP service; token in CONTAINER_PG_TOKEN
  container-pg create NAME [--port N] [--storage-dir DIR] [--database NAME]… [--password-file FILE]
  container-pg list
  container-pg start NAME
  container-pg stop NAME
  container-pg psql NAME [-- PSQL ARGUMENTS]
  container-pg logs NAME [--tail N] [--follow]
  container-pg dump NAME DATABASE FILE
  container-pg restore NAME DATABASE FILE
  container-pg remove NAME --keep-data | --erase-data
  container-pg doctor

Everywhere: --root DIR (or CONTAINER_PG_ROOT), --image NAME (or CONTAINER_PG_IMAGE), DOCKER_HOST.
`

const OPTIONS = {
  root: { type: 'string' },
  image: { type: 'string' },
  port: { type: 'string' },
  'storage-dir': { type: 'string' },
  database: { type: 'string', multiple: true },
  'password-file': { type: 'string' },
  tail: { type: 'string' },
  follow: { type: 'boolean' },
  'keep-data': { type: 'boolean' },
  'erase-data': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

type Arguments = ReturnType<typeof parse>

function parse(words: readonly string[]) {
  const cut = words.indexOf('--')
  const [own, rest] = cut === -1 ? [words, []] : [words.slice(0, cut), words.slice(cut + 1)]
  try {
    const { values, positionals } = parseArgs({ args: [...own], options: OPTIONS, allowPositionals: true })
    return { values, positionals, rest }
  } catch (error) {
    throw usage((error as Error).message)
  }
}

/**
 * Runs one command.
 *
 * @param words - What follows the program's name.
 * @returns The exit code.
 * @throws {@link ContainerPgError} whatever the operation raises; `INVALID_INPUT` for words that make no sense.
 */
export async function run(words: readonly string[], world: World): Promise<number> {
  const given = parse(words)
  const [command] = given.positionals
  if (given.values.help === true || command === undefined) {
    world.out(USAGE)
    return command === undefined && given.values.help !== true ? 2 : 0
  }
  const root = given.values.root ?? world.env['CONTAINER_PG_ROOT']
  const image = given.values.image ?? world.env['CONTAINER_PG_IMAGE']
  if (root === undefined) throw usage('Expected a storage root: --root DIR or CONTAINER_PG_ROOT')
  if (command === 'doctor') return diagnose({ root, image }, world)
  const handler = COMMANDS[command]
  if (handler === undefined) throw usage(`Unknown command ${command}`)
  const provisioner = await createProvisioner({ storageRoot: root, ...(image === undefined ? {} : { image }) })
  return handler(provisioner, given, world)
}

type Command = (provisioner: Provisioner, given: Arguments, world: World) => Promise<number>

const COMMANDS: Readonly<Record<string, Command>> = {
  async serve(provisioner, { positionals, values }, world) {
    take(positionals)
    const token = world.env['CONTAINER_PG_TOKEN']
    if (token === undefined || token.length < 16) throw usage('Expected CONTAINER_PG_TOKEN, at least 16 characters')
    await serve(provisioner, { token, port: wholeNumber('--port', values.port) ?? 8080 }, world)
    return 0
  },

  async create(provisioner, { positionals, values }, world) {
    const [name] = take(positionals, 'NAME')
    const file = values['password-file']
    const password = file === undefined ? await askPassword(world) : await readPasswordFile(file)
    const server = await withProgress(world, `Creating ${name}`, () =>
      provisioner.create({
        name,
        adminPassword: password.text,
        storageDir: values['storage-dir'],
        port: wholeNumber('--port', values.port),
        databases: values.database,
      }),
    )
    if (password.generated) world.note(`Password of ${server.connection.user}, shown once: ${password.text}\n`)
    world.out(`${addressOf(server)}\n`)
    return 0
  },

  async list(provisioner, { positionals }, world) {
    take(positionals)
    for (const server of await provisioner.list()) {
      world.out(
        `${[server.name.padEnd(20), server.state.padEnd(9), String(server.port).padEnd(6), server.storageDir].join(' ')}\n`,
      )
    }
    return 0
  },

  async start(provisioner, { positionals }, world) {
    const [name] = take(positionals, 'NAME')
    world.out(`${addressOf(await withProgress(world, `Starting ${name}`, () => provisioner.start(name)))}\n`)
    return 0
  },

  async stop(provisioner, { positionals }, world) {
    const [name] = take(positionals, 'NAME')
    await withProgress(world, `Stopping ${name}`, () => provisioner.stop(name))
    return 0
  },

  async psql(provisioner, { positionals, rest }) {
    const [name] = take(positionals, 'NAME')
    const server = await provisioner.get(name)
    if (server === undefined) throw new ContainerPgError('NOT_FOUND', `There is no server ${name}`)
    return openPsql(server, rest)
  },

  async logs(provisioner, { positionals, values }, world) {
    const [name] = take(positionals, 'NAME')
    const tail = wholeNumber('--tail', values.tail)
    const wanted = { follow: values.follow === true, signal: world.signal, ...(tail === undefined ? {} : { tail }) }
    for await (const line of provisioner.logs(name, wanted)) world.out(`${line}\n`)
    return 0
  },

  async dump(provisioner, { positionals }, world) {
    const [name, database, file] = take(positionals, 'NAME', 'DATABASE', 'FILE')
    const { bytes } = await withProgress(world, `Dumping ${database} and proving the dump`, () =>
      provisioner.dump(name, { database, file }),
    )
    world.out(`${file} ${bytes} bytes, restored once to prove it\n`)
    return 0
  },

  async restore(provisioner, { positionals }, world) {
    const [name, database, file] = take(positionals, 'NAME', 'DATABASE', 'FILE')
    await withProgress(world, `Restoring ${file}`, () => provisioner.restore(name, { database, file }))
    world.out(`${database} on ${name}\n`)
    return 0
  },

  async remove(provisioner, { positionals, values }, world) {
    const [name] = take(positionals, 'NAME')
    const keepData = values['keep-data'] === true
    if (keepData === (values['erase-data'] === true)) throw usage('Expected either --keep-data or --erase-data')
    await withProgress(world, `Removing ${name}`, () => provisioner.remove(name, { keepData }))
    return 0
  },
}

function addressOf({ connection, port, storageDir }: Server): string {
  return `postgres://${connection.user}@${connection.host}:${port}/${connection.database} data in ${storageDir}`
}

/** Says what takes long, and how long it took. */
async function withProgress<Result>(world: World, what: string, work: () => Promise<Result>): Promise<Result> {
  world.note(`${what} …`)
  const begun = performance.now()
  try {
    const result = await work()
    world.note(` done in ${((performance.now() - begun) / 1000).toFixed(1)} s\n`)
    return result
  } catch (error) {
    world.note(' failed\n')
    throw error
  }
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw usage(`Expected ${option} to be a whole number, got ${text}`)
  return Number(text)
}

/** Takes the words after the command: these, and no more. */
function take<const Names extends readonly string[]>(
  [, ...given]: readonly string[],
  ...names: Names
): { [Index in keyof Names]: string } {
  const missing = names[given.length]
  if (missing !== undefined) throw usage(`Expected ${missing}`)
  if (given.length > names.length) throw usage(`Expected no more words, got ${given[names.length]}`)
  return given as { [Index in keyof Names]: string }
}

function usage(message: string): ContainerPgError {
  return new ContainerPgError('INVALID_INPUT', message, { remedy: 'See container-pg --help.' })
}
