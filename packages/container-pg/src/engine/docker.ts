import { createInterface } from 'node:readline'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'

import Docker from 'dockerode'

import { ContainerPgError } from '../errors.ts'
import type { Engine, LogOptions } from './engine.ts'
import { frameLines, frames } from './frames.ts'
import { ATTEMPT, createOptions, happened, imageFacts, inspected, listed } from './shapes.ts'
import { imageMissing, isTransportError, statusOf, translate } from './translate.ts'

/** How to reach the engine; left out, the environment decides (`DOCKER_HOST`), else the usual local socket. */
export type DockerConnection =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly protocol?: 'http' | 'https' }

/** How much of a program's complaints is kept, in bytes. */
const ERRORS_KEPT_BYTES = 8192

/** A program's end is known a moment after its last word; one that still runs then has lost its connection to us. */
const EXEC_LOOKS = 50
const EXEC_PAUSE_MS = 20

/**
 * Speaks to Docker, or to anything with its API such as Podman's compatible socket.
 *
 * @param timeoutMs - Deadline of each call. dockerode itself waits for ever on an engine that hangs.
 */
export function dockerEngine(connection: DockerConnection | undefined, timeoutMs: number): Engine {
  const docker = new Docker({ ...connection })
  // For the calls that take no signal. Its limit counts silence, so streams must not use it.
  const brief = new Docker({ ...connection, timeout: timeoutMs })
  const deadline = () => AbortSignal.timeout(timeoutMs)
  const ask = async <Result>(what: string, call: (abortSignal: AbortSignal) => Promise<Result>): Promise<Result> => {
    const signal = deadline()
    try {
      return await call(signal)
    } catch (error) {
      throw translate(error, what, signal.aborted ? timeoutMs : undefined)
    }
  }

  /** For what answers with a stream: the deadline ends when it begins. */
  const begin = async (what: string, call: (abortSignal: AbortSignal) => Promise<Duplex>): Promise<Duplex> => {
    const overdue = new AbortController()
    const timer = setTimeout(() => overdue.abort(), timeoutMs)
    try {
      return await call(overdue.signal)
    } catch (error) {
      throw translate(error, what, overdue.signal.aborted ? timeoutMs : undefined)
    } finally {
      clearTimeout(timer)
    }
  }

  const inspect = (id: string) =>
    ask('look at a container', async (abortSignal) => {
      try {
        return inspected(await docker.getContainer(id).inspect({ abortSignal }))
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error
      }
    })

  const engine: Engine = {
    inspect,

    image: (name) =>
      ask('look at an image', async () => {
        try {
          return imageFacts((await brief.getImage(name).inspect()) as Docker.ImageInspectInfo)
        } catch (error) {
          if (statusOf(error) === 404) return undefined
          throw error
        }
      }),

    async create(plan) {
      try {
        return await ask('create a container', async (abortSignal) => {
          const { id } = await docker.createContainer({ ...createOptions(plan), abortSignal })
          return { id }
        })
      } catch (error) {
        const cause = (error as Error).cause
        if (statusOf(cause) === 409) return 'name-taken'
        // dockerode names every 404 here "no such container".
        if (statusOf(cause) === 404) throw imageMissing(plan.image, cause)
        if (!isTransportError(cause)) throw error
        // A cut connection says nothing about what the engine did.
        const found = await inspect(plan.name)
        if (found === undefined) throw error
        return found.labels[ATTEMPT] === plan.attempt ? { id: found.id } : 'name-taken'
      }
    },

    async start(id) {
      try {
        await ask('start a container', (abortSignal) => docker.getContainer(id).start({ abortSignal }))
      } catch (error) {
        const cause = (error as Error).cause
        if (statusOf(cause) === 304) return 'started'
        if (/port is already allocated|address already in use/i.test(String((cause as Error)?.message)))
          return 'port-taken'
        if (!isTransportError(cause)) throw error
        if ((await inspect(id))?.running !== true) throw error
      }
      return 'started'
    },

    async stop(id, graceMs) {
      const signal = AbortSignal.timeout(graceMs + timeoutMs)
      try {
        await docker.getContainer(id).stop({ t: Math.ceil(graceMs / 1000), abortSignal: signal })
      } catch (error) {
        if ([304, 404].includes(statusOf(error) ?? 0)) return
        throw translate(error, 'stop a container', signal.aborted ? graceMs + timeoutMs : undefined)
      }
    },

    remove: (id) =>
      ask('remove a container', async (abortSignal) => {
        try {
          await docker.getContainer(id).remove({ force: true, v: true, abortSignal })
        } catch (error) {
          if (statusOf(error) === 404) return
          // Somebody else is removing it at this moment.
          if (statusOf(error) === 409) return waitUntilGone(id, abortSignal)
          throw error
        }
      }),

    list: ({ label, running = false }) =>
      ask('list containers', async (abortSignal) => {
        const filters = label === undefined ? {} : { filters: { label: [label] } }
        return (await docker.listContainers({ all: !running, ...filters, abortSignal })).map(listed)
      }),

    logs: (id, options) => readLogs(docker, id, options, deadline),

    async *events(label, signal) {
      try {
        const stream = await docker.getEvents({ filters: { label: [label], type: ['container'] }, abortSignal: signal })
        for await (const line of createInterface({ input: stream as NodeJS.ReadableStream })) yield happened(line)
      } catch (error) {
        if (!signal.aborted) throw translate(error, 'watch events', undefined)
      }
    },

    restartOnFailure: (id, times) =>
      ask('set the restart policy', async (abortSignal) => {
        const policy = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: times } }
        await docker.getContainer(id).update({ ...policy, abortSignal })
      }),

    async exec(id, command, { input, output }) {
      const exec = await ask('prepare a program', (abortSignal) =>
        docker.getContainer(id).exec({
          Cmd: [...command],
          AttachStdin: input !== undefined,
          AttachStdout: true,
          AttachStderr: true,
          abortSignal,
        }),
      )
      const stream = await begin('start a program', (abortSignal) =>
        exec.start({ hijack: true, stdin: input !== undefined, abortSignal }),
      )
      const feeding = input === undefined ? undefined : pipeline(input, stream)
      // Heard below; a broken connection ends the loop first.
      feeding?.catch(() => {})
      let errors = Buffer.alloc(0)
      try {
        for await (const { kind, chunk } of frames(stream)) {
          if (kind === 'output') await output?.(chunk)
          else errors = Buffer.concat([errors, chunk]).subarray(-ERRORS_KEPT_BYTES)
        }
      } catch (error) {
        // What the caller's own reader or writer says stays as it is.
        throw isTransportError(error) ? translate(error, 'run a program', undefined) : error
      } finally {
        stream.destroy()
      }
      await feeding
      for (let left = EXEC_LOOKS; left > 0; left -= 1) {
        const { Running, ExitCode } = await ask('look at a program', (abortSignal) => exec.inspect({ abortSignal }))
        if (!Running) return { exitCode: ExitCode ?? -1, errors: errors.toString() }
        await delay(EXEC_PAUSE_MS)
      }
      throw new ContainerPgError(
        'ENGINE_UNREACHABLE',
        'The connection to the container engine broke while a program ran',
      )
    },

    version: () =>
      ask('ask for the version', async () => {
        const { Version, ApiVersion } = await brief.version()
        return `${Version} (API ${ApiVersion})`
      }),
  }
  return engine

  async function waitUntilGone(id: string, signal: AbortSignal): Promise<void> {
    try {
      await docker.getContainer(id).wait({ condition: 'removed', abortSignal: signal })
    } catch (error) {
      if (statusOf(error) !== 404) throw error
    }
  }
}

async function* readLogs(
  docker: Docker,
  id: string,
  { tail, follow = false, since, signal }: LogOptions,
  deadline: () => AbortSignal,
): AsyncGenerator<string> {
  const stop = new AbortController()
  const abortSignal = AbortSignal.any([
    stop.signal,
    ...(signal === undefined ? [] : [signal]),
    ...(follow ? [] : [deadline()]),
  ])
  try {
    const options = {
      stdout: true as const,
      stderr: true as const,
      abortSignal,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since: toUnix(since) as unknown as number }),
    }
    const container = docker.getContainer(id)
    if (follow) yield* frameLines((await container.logs({ ...options, follow: true })) as AsyncIterable<Buffer>)
    else yield* frameLines(Readable.from([await container.logs({ ...options, follow: false })]))
  } catch (error) {
    if (signal?.aborted === true) return
    throw translate(error, 'read the log', undefined)
  } finally {
    stop.abort()
  }
}

const toUnix = (time: string): string => {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '0'
  return `${Math.floor(Date.parse(time) / 1000)}.${fraction.padEnd(9, '0').slice(0, 9)}`
}
