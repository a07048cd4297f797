import { writeFileSync } from 'node:fs'
import path from 'node:path'

import Docker from 'dockerode'

import { HubError, reasonOf } from '../errors.ts'
import { type AskEngine, engineCalls, isEngineTimeout } from '../system/engine-calls.ts'
import { type HeldPort, PortPool } from '../system/ports.ts'
import { privateFolder } from '../system/private-files.ts'
import { containerPlan, type DockerSpawnerOptions, HUB_LABEL, INNER_PORT, TOKEN_FILE } from './container-plan.ts'
import { readTail } from './log-tail.ts'
import { serverFileName } from './names.ts'
import type { RunningServer, Spawner } from './spawner.ts'
import { singleFileTar } from './tar.ts'

/** Longest wait when a container is only looked at, in milliseconds: somebody may be waiting for the answer. */
const LOOK_MS = 5000

/** Runs each server in a container of its own, with the user's files in a volume. */
export function createDockerSpawner(options: DockerSpawnerOptions): Spawner {
  const docker = new Docker({ socketPath: options.socket })
  const ask = engineCalls(options.callTimeoutMs)
  privateFolder(options.logs)
  const logFile = (file: string) => path.join(options.logs, `${file}.log`)
  const ports = new PortPool()
  const watch = (container: Docker.Container, file: string, address: RunningServer['address'], held?: HeldPort) =>
    runningContainer(ask, container, address, {
      ...options,
      file,
      logFile: logFile(file),
      abandon: () => left.add(file),
      held,
    })
  /** The container of that name from before; another's is not seen, and its name refused by the engine. */
  const leftover = async (file: string, abandoned?: AbortSignal) => {
    const filters = { name: [`^/jupyter-${file}$`], label: [`${HUB_LABEL}=${options.hubId}`] }
    const list = (abortSignal: AbortSignal) => docker.listContainers({ all: true, filters, abortSignal })
    const [found] = await ask(list, abandoned === undefined ? {} : { signal: abandoned })
    return found === undefined ? undefined : docker.getContainer(found.Id)
  }
  /** Names of containers that are to be removed, and may not even be there yet. */
  const left = new Set<string>()

  return {
    kind: 'docker',

    async start(request) {
      const file = serverFileName(request.user, request.server)
      const { signal } = request
      // On a network of their own all listen on the same port, and the engine chooses the one outside.
      const held = options.network === 'host' ? await ports.take('127.0.0.1') : undefined
      const port = held?.port ?? INNER_PORT
      let container: Docker.Container | undefined
      // From here on this start makes room itself.
      left.delete(file)
      try {
        request.progress(20, 'Making the container')
        const before = await leftover(file, signal)
        if (before !== undefined) await remove(ask, before)
        const { Config: image } = await ask(() => docker.getImage(options.image).inspect(), { signal })
        const plan = containerPlan(options, request, file, port, [image.Entrypoint ?? []].flat())
        const made = await ask((abortSignal) => docker.createContainer({ ...plan, abortSignal }), { signal })
        container = made
        const { JUPYTERHUB_API_TOKEN: token = '' } = request.env
        const archive = singleFileTar(path.posix.basename(TOKEN_FILE), token)
        await ask((abortSignal) => made.putArchive(archive, { path: '/', abortSignal }), { signal })
        request.progress(30, 'Starting the container')
        await ask((abortSignal) => made.start({ abortSignal }), { signal })
        const { NetworkSettings: settings } = await ask((abortSignal) => made.inspect({ abortSignal }), { signal })
        const published = settings.Ports[`${INNER_PORT}/tcp`]?.[0]?.HostPort
        if (held === undefined && published === undefined) throw new Error('the container ended at once')
        return watch(made, file, { ip: '127.0.0.1', port: held?.port ?? Number(published) }, held)
      } catch (error) {
        held?.[Symbol.dispose]()
        try {
          if (container !== undefined && !isEngineTimeout(error)) await saveLog(ask, container, logFile(file))
          if (container !== undefined) await remove(ask, container)
          // One from before may still be there, or this one may come yet.
          else left.add(file)
        } catch {
          left.add(file)
        }
        throw new HubError('HUB_SPAWN_FAILED', `The container could not be started: ${reasonOf(error)}`, {
          cause: error,
        })
      }
    },

    async adopt(state, address) {
      const { container_id: id, file } = state as { readonly container_id?: string; readonly file?: string }
      if (id === undefined || file === undefined) return undefined
      const held = options.network === 'host' ? ports.hold(address.port) : undefined
      const server = watch(docker.getContainer(id), file, address, held)
      if ((await server.status()) === undefined) return server
      held?.[Symbol.dispose]()
      return undefined
    },

    async sweep(known) {
      const ids = new Set(known.map(({ state }) => state['container_id']))
      const filters = { label: [`${HUB_LABEL}=${options.hubId}`] }
      const found = await ask((abortSignal) => docker.listContainers({ all: true, filters, abortSignal }))
      const strangers = found.filter(({ Id }) => !ids.has(Id))
      await Promise.all(strangers.map(({ Id }) => remove(ask, docker.getContainer(Id))))
      return strangers.length
    },

    abandon: (user, server) => void left.add(serverFileName(user, server)),

    async tidy() {
      for (const file of left) {
        const found = await leftover(file)
        // A start has begun meanwhile: what was found may be the new one.
        if (!left.has(file)) continue
        if (found !== undefined) await remove(ask, found)
        left.delete(file)
      }
    },

    logTail: (user, server) => readTail(logFile(serverFileName(user, server))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function runningContainer(
  ask: AskEngine,
  container: Docker.Container,
  address: RunningServer['address'],
  options: Pick<DockerSpawnerOptions, 'stopSeconds' | 'callTimeoutMs'> & {
    readonly file: string
    readonly logFile: string
    /** Leaves the removal of what has ended for later. */
    readonly abandon: () => void
    readonly held: HeldPort | undefined
  },
): RunningServer {
  // The one call without a limit: it lasts as long as the container.
  const ended = container.wait().then(
    ({ StatusCode }: { StatusCode: number }) => `exit code ${StatusCode}`,
    // The engine went away; the poll finds out what became of it.
    () => new Promise<string>(() => {}),
  )
  const status = async () => {
    try {
      const limitMs = Math.min(LOOK_MS, options.callTimeoutMs ?? LOOK_MS)
      const { State: state } = await ask((abortSignal) => container.inspect({ abortSignal }), { limitMs })
      return state.Running ? undefined : `exit code ${state.ExitCode}`
    } catch (error) {
      if ((error as { readonly statusCode?: number }).statusCode === 404) return 'the container is gone'
      // An engine that restarts or hangs is no reason to give up a container.
      return undefined
    }
  }
  return {
    state: { container_id: container.id, file: options.file },
    address,
    ended,
    status,
    async stop() {
      await politely(ask, container, options.stopSeconds)
      await saveLog(ask, container, options.logFile)
      try {
        await remove(ask, container)
      } catch (error) {
        // What still runs must stay known; what has ended is only in the way.
        if ((await status()) === undefined) throw error
        options.abandon()
      }
      options.held?.[Symbol.dispose]()
    },
  }
}

/** Asks a container to end; whatever it is that it does not, its removal will end it. */
async function politely(ask: AskEngine, container: Docker.Container, seconds: number): Promise<void> {
  // The engine answers when the container has ended, at the latest after its own patience.
  const heard: unknown = await ask((abortSignal) => container.stop({ t: seconds, abortSignal }), {
    graceMs: seconds * 1000,
  }).catch((error: unknown) => error)
  if (isEngineTimeout(heard)) throw heard
}

async function remove(ask: AskEngine, container: Docker.Container): Promise<void> {
  await ask((abortSignal) => container.remove({ force: true, abortSignal })).catch((error: unknown) => {
    if ((error as { readonly statusCode?: number }).statusCode !== 404) throw error
  })
}

/** Keeps the last lines: the container goes, and with it its log. */
async function saveLog(ask: AskEngine, container: Docker.Container, file: string): Promise<void> {
  try {
    const frames = await ask((abortSignal) =>
      container.logs({ stdout: true, stderr: true, tail: 200, follow: false, abortSignal }),
    )
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
