import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { openPostgres } from '../../bench/server.ts'
import { createApi } from '../../src/create-service.ts'
import { blueprintOf } from './blueprint.ts'

/**
 * Runs the real Dredd against the service. It is not among the dependencies: its last release pulls in packages that
 * are no longer kept, so it lives in a cache of its own, installed without build scripts at the first run.
 */
const VERSION = '14.1.0'
const cache = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), `events-api-dredd-${VERSION}`)
const dredd = path.join(cache, 'node_modules/dredd/bin/dredd')

async function call(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

if (!existsSync(dredd)) {
  console.log(`Installing dredd ${VERSION} into ${cache}`)
  await mkdir(cache, { recursive: true })
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save']
  const code = await call('npm', ['install', `dredd@${VERSION}`, '--prefix', cache, ...flags])
  if (code !== 0) throw new Error('Expected npm to install dredd')
}

const folder = await mkdtemp(path.join(tmpdir(), 'dredd-'))
await using postgres = await openPostgres()
try {
  const { operations, registry } = createApi()
  const description = path.join(folder, 'events.apib')
  await writeFile(description, blueprintOf(operations, registry))
  const hooks = fileURLToPath(import.meta.resolve('./hooks.cjs'))
  // The address is a placeholder: the hooks send each request to a service of its own.
  const args = ['--conditions=@org/source', dredd, description, 'http://127.0.0.1:1', `--hookfiles=${hooks}`]
  const colour = process.stdout.isTTY ? [] : ['--no-color']
  process.exitCode = await call(process.execPath, [...args, ...colour], { ...process.env, POSTGRES_URL: postgres.url })
} finally {
  await rm(folder, { recursive: true, force: true })
}
