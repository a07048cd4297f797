import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { ensurePostgresImage, freePort } from '@org/services'

import { ensureBaseImage, ensureRedisImage } from './local-images.ts'

const exec = promisify(execFile)

/** The root of the repository, where `compose.yaml` is. */
export const root = path.resolve(import.meta.dirname, '../../..')

/** How a command ended; a failure is an answer too. */
export interface Outcome {
  readonly code: number
  readonly output: string
}

/** What `docker inspect` says of a container, as far as the tests look. */
export interface Container {
  readonly Name: string
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: Readonly<Record<string, unknown>>
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Health?: { readonly Status: string } }
}

/** The stack under a name, ports and secrets of its own. Disposing takes it down, with its volumes. */
export interface Stack extends AsyncDisposable {
  readonly ports: { readonly hub: number; readonly events: number; readonly watch: number }
  readonly secrets: ReadonlyMap<string, string>
  /** Runs a command of compose on the stack. */
  compose(...args: readonly string[]): Promise<Outcome>
  /** Runs lines for a shell that call `docker compose`, as the guide shows them, in a folder of this stack's own. */
  shell(lines: string): Promise<Outcome>
  containers(): Promise<Container[]>
  /** Containers, volumes and networks that there are. */
  remains(): Promise<string[]>
}

/** Prepares the stack: images for a machine without a registry, fresh secrets. Nothing runs yet. */
export async function openStack(): Promise<Stack> {
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'stack-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  await exec(path.join(root, 'deploy/secrets.sh'), [folder])
  const secrets = new Map<string, string>()
  for (const name of await readdir(folder)) {
    secrets.set(name, (await readFile(path.join(folder, name), 'utf8')).trim())
  }
  const ports = { hub: await freePort(), events: await freePort(), watch: await freePort() }
  const [base, postgres, redis] = await Promise.all([ensureBaseImage(), ensurePostgresImage(), ensureRedisImage()])
  // One name for each clone: what a killed run left is found by the next.
  const project = `org-stack-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`
  const env = {
    ...process.env,
    ...composeSettings(project, folder),
    COMPOSE_FILE: path.join(root, 'compose.yaml'),
    BASE_IMAGE: base,
    POSTGRES_IMAGE: postgres,
    REDIS_IMAGE: redis,
    HUB_PORT: String(ports.hub),
    EVENTS_PORT: String(ports.events),
    WATCH_PORT: String(ports.watch),
    // Health is asked for this often, and the first answer is what everybody waits for.
    HEALTH_INTERVAL: '2s',
  }
  const compose = (...args: readonly string[]) => runCompose(args, env)
  const scratch = await mkdtemp(path.join(tmpdir(), 'stack-'))
  stack.defer(() => rm(scratch, { recursive: true, force: true }))
  const filter = ['--filter', `label=com.docker.compose.project=${project}`]
  const list = async (...args: readonly string[]) =>
    (await exec('docker', [...args, ...filter])).stdout.trim().split('\n').filter(Boolean)
  const down = () => compose('down', '--volumes', '--remove-orphans', '--timeout', '60')
  await down()
  stack.defer(async () => void (await down()))
  await buildStages(base)
  const held = stack.move()
  return {
    ports,
    secrets,
    compose,
    async shell(lines) {
      const program = (await hasPlugin()) ? 'docker compose' : 'docker-compose'
      const script = lines.replaceAll('docker compose', program).replaceAll('deploy/secrets/', `${folder}/`)
      return outcome('sh', ['-ec', script], env, scratch)
    },
    async containers() {
      const ids = await list('ps', '--all', '--quiet')
      return JSON.parse((await exec('docker', ['inspect', ...ids])).stdout) as Container[]
    },
    async remains() {
      const kinds = [
        ['ps', '--all', '--quiet'],
        ['volume', 'ls', '--quiet'],
        ['network', 'ls', '--quiet'],
      ] as const
      return (await Promise.all(kinds.map((kind) => list(...kind)))).flat()
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** What compose itself reads. Builds go the way that needs no plugin. */
export function composeSettings(project: string, secrets: string): NodeJS.ProcessEnv {
  return { COMPOSE_PROJECT_NAME: project, SECRETS_DIR: secrets, ORG_VERSION: 'test', DOCKER_BUILDKIT: '0' }
}

/** Runs compose, as Docker's plugin where there is one. */
export async function runCompose(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const plugin = await hasPlugin()
  return outcome(plugin ? 'docker' : 'docker-compose', plugin ? ['compose', ...args] : args, env)
}

function hasPlugin(): Promise<boolean> {
  return exec('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  )
}

/**
 * Builds the stages that no image is made of, under a name: without one each change would leave another copy of them
 * behind, and with them removed nothing would be cached.
 */
async function buildStages(base: string): Promise<void> {
  for (const stage of ['manifests', 'build']) {
    const tag = `org-stage-${stage}:test`
    const idOf = async () => (await outcome('docker', ['image', 'inspect', '--format', '{{.Id}}', tag])).output.trim()
    const before = await idOf()
    const args = ['--file', 'deploy/Dockerfile', '--build-arg', `BASE_IMAGE=${base}`, '--target', stage, '--tag', tag]
    const { code, output } = await outcome('docker', ['build', ...args, '.'], { ...process.env, DOCKER_BUILDKIT: '0' })
    if (code !== 0) throw new Error(`The stage ${stage} was not built:\n${output.slice(-4000)}`)
    if (before.startsWith('sha256:') && before !== (await idOf())) await outcome('docker', ['rmi', before])
  }
}

async function outcome(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  cwd = root,
): Promise<Outcome> {
  const options = { cwd, env, maxBuffer: 1 << 26 }
  try {
    const { stdout, stderr } = await exec(program, args, options)
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { code, output: `${stdout}${stderr}` }
  }
}
