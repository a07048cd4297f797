import { writeFileSync } from 'node:fs'
import path from 'node:path'

import Docker from 'dockerode'

import { HubError, reasonOf } from '../errors.ts'
import { freePort } from '../system/ports.ts'
import { privateFolder } from '../system/private-files.ts'
import { readTail } from './log-tail.ts'
import { safeName, serverFileName } from './names.ts'
import type { RunningServer, Spawner, SpawnRequest } from './spawner.ts'
import { singleFileTar } from './tar.ts'

/** Label that marks every container and volume of one hub. */
const HUB_LABEL = 'org.hub'
/** Port that servers listen on inside their containers. */
const INNER_PORT = 8888
/** Where the token waits for the server, inside the container. */
const TOKEN_FILE = '/.hub-token'
/** Reads the token and goes on as the server; in the environment of the container `docker inspect` would show it. */
const TAKE_TOKEN = `JUPYTERHUB_API_TOKEN=$(cat ${TOKEN_FILE}); JPY_API_TOKEN=$JUPYTERHUB_API_TOKEN; export JUPYTERHUB_API_TOKEN JPY_API_TOKEN; exec "$@"`

/** Options of {@link createDockerSpawner}. */
export interface DockerSpawnerOptions {
  readonly socket: string
  readonly image: string
  /** `host`, or a network whose containers publish a port on this machine. */
  readonly network: string
  readonly command: readonly string[]
  /** Where the user's volume is mounted. */
  readonly homeTarget: string
  readonly user?: string | undefined
  readonly readOnlyMounts: Readonly<Record<string, string>>
  readonly memLimitBytes?: number | undefined
  readonly cpuLimit?: number | undefined
  readonly pidsLimit: number
  readonly logs: string
  readonly hubId: string
  readonly stopSeconds: number
}

/** Runs each server in a container of its own, with the user's files in a volume. */
export function createDockerSpawner(options: DockerSpawnerOptions): Spawner {
  const docker = new Docker({ socketPath: options.socket })
  privateFolder(options.logs)
  const logFile = (file: string) => path.join(options.logs, `${file}.log`)
  const watch = (container: Docker.Container, file: string, address: RunningServer['address']) =>
    runningContainer(container, address, options.stopSeconds, logFile(file), file)

  return {
    kind: 'docker',

    async start(request) {
      const file = serverFileName(request.user, request.server)
      const host = options.network === 'host'
      const port = host ? await freePort('127.0.0.1') : INNER_PORT
      let container: Docker.Container | undefined
      try {
        request.progress(20, 'Making the container')
        await removeLeftover(docker, `jupyter-${file}`, options.hubId)
        const { Config: image } = await docker.getImage(options.image).inspect()
        const entry = [image.Entrypoint ?? []].flat()
        container = await docker.createContainer(containerPlan(options, request, file, port, entry))
        const { JUPYTERHUB_API_TOKEN: token = '' } = request.env
        await container.putArchive(singleFileTar(path.posix.basename(TOKEN_FILE), token), { path: '/' })
        request.signal.throwIfAborted()
        request.progress(30, 'Starting the container')
        await container.start()
        const { NetworkSettings: settings } = await container.inspect()
        const published = settings.Ports[`${INNER_PORT}/tcp`]?.[0]?.HostPort
        if (!host && published === undefined) throw new Error('the container ended at once')
        return watch(container, file, { ip: '127.0.0.1', port: host ? port : Number(published) })
      } catch (error) {
        if (container !== undefined) {
          await saveLog(container, logFile(file))
          await remove(container)
        }
        throw new HubError('HUB_SPAWN_FAILED', `The container could not be started: ${reasonOf(error)}`, {
          cause: error,
        })
      }
    },

    async adopt(state, address) {
      const { container_id: id, file } = state as { readonly container_id?: string; readonly file?: string }
      if (id === undefined || file === undefined) return undefined
      const server = watch(docker.getContainer(id), file, address)
      return (await server.status()) === undefined ? server : undefined
    },

    async sweep(known) {
      const ids = new Set(known.map(({ state }) => state['container_id']))
      const found = await docker.listContainers({ all: true, filters: { label: [`${HUB_LABEL}=${options.hubId}`] } })
      const strangers = found.filter(({ Id }) => !ids.has(Id))
      await Promise.all(strangers.map(({ Id }) => remove(docker.getContainer(Id))))
      return strangers.length
    },

    logTail: (user, server) => readTail(logFile(serverFileName(user, server))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function containerPlan(
  options: DockerSpawnerOptions,
  request: SpawnRequest,
  file: string,
  port: number,
  entry: readonly string[],
): Docker.ContainerCreateOptions {
  const { JUPYTERHUB_API_TOKEN: _token, JPY_API_TOKEN: _same, ...env } = request.env
  const labels = { [HUB_LABEL]: options.hubId, 'org.hub.user': request.user, 'org.hub.server': request.server }
  const outer = options.network === 'host'
  const all = {
    ...env,
    HOME: options.homeTarget,
    USER: request.user,
    SHELL: '/bin/sh',
    JUPYTERHUB_SERVICE_URL: `http://${outer ? '127.0.0.1' : '0.0.0.0'}:${port}${request.prefix}`,
  }
  return {
    name: `jupyter-${file}`,
    Image: options.image,
    Labels: labels,
    ...(options.user === undefined ? {} : { User: options.user }),
    WorkingDir: options.homeTarget,
    Env: Object.entries(all).map(([name, value]) => `${name}=${value}`),
    Entrypoint: ['/bin/sh', '-c', TAKE_TOKEN, 'sh', ...entry],
    Cmd: [...options.command],
    ExposedPorts: { [`${INNER_PORT}/tcp`]: {} },
    HostConfig: {
      NetworkMode: options.network,
      ...(outer ? {} : { PortBindings: { [`${INNER_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
      Mounts: [
        {
          Type: 'volume',
          Source: `jupyter-${safeName(request.user)}`,
          Target: options.homeTarget,
          VolumeOptions: { NoCopy: false, Labels: labels, DriverConfig: { Name: '', Options: {} } },
        },
        ...Object.entries(options.readOnlyMounts).map(([Source, Target]) => ({
          Type: 'bind' as const,
          Source,
          Target,
          ReadOnly: true,
        })),
      ],
      SecurityOpt: ['no-new-privileges'],
      CapDrop: ['ALL'],
      PidsLimit: options.pidsLimit,
      ...(options.memLimitBytes === undefined
        ? {}
        : { Memory: options.memLimitBytes, MemorySwap: options.memLimitBytes }),
      ...(options.cpuLimit === undefined ? {} : { NanoCpus: Math.round(options.cpuLimit * 1e9) }),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
    },
  }
}

function runningContainer(
  container: Docker.Container,
  address: RunningServer['address'],
  stopSeconds: number,
  logFile: string,
  file: string,
): RunningServer {
  const ended = container.wait().then(
    ({ StatusCode }: { StatusCode: number }) => `exit code ${StatusCode}`,
    // The engine went away; the poll finds out what became of it.
    () => new Promise<string>(() => {}),
  )
  return {
    state: { container_id: container.id, file },
    address,
    ended,
    async status() {
      try {
        const { State: state } = await container.inspect()
        return state.Running ? undefined : `exit code ${state.ExitCode}`
      } catch (error) {
        if ((error as { readonly statusCode?: number }).statusCode === 404) return 'the container is gone'
        // An engine that restarts is no reason to give up a container.
        return undefined
      }
    },
    async stop() {
      await container.stop({ t: stopSeconds }).catch(() => {})
      await saveLog(container, logFile)
      await remove(container)
    },
  }
}

/** A container of that name from before: ours makes room, another's is left alone and the name refused by the engine. */
async function removeLeftover(docker: Docker, name: string, hubId: string): Promise<void> {
  const filters = { name: [`^/${name}$`], label: [`${HUB_LABEL}=${hubId}`] }
  const [found] = await docker.listContainers({ all: true, filters })
  if (found !== undefined) await remove(docker.getContainer(found.Id))
}

async function remove(container: Docker.Container): Promise<void> {
  await container.remove({ force: true }).catch((error: unknown) => {
    if ((error as { readonly statusCode?: number }).statusCode !== 404) throw error
  })
}

/** Keeps the last lines: the container goes, and with it its log. */
async function saveLog(container: Docker.Container, file: string): Promise<void> {
  try {
    const frames = await container.logs({ stdout: true, stderr: true, tail: 200, follow: false })
    writeFileSync(file, unframe(frames), { mode: 0o600 })
  } catch {
    // A container without a log is gone already.
  }
}

/** Takes the engine's frames apart: a header of 8 bytes, the length in its second half. */
function unframe(frames: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + 8 <= frames.length;) {
    const length = frames.readUInt32BE(at + 4)
    parts.push(frames.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(parts)
}
