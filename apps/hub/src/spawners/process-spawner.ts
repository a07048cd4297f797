import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, renameSync } from 'node:fs'
import path from 'node:path'

import { HubError, reasonOf } from '../errors.ts'
import { type HeldPort, PortPool } from '../system/ports.ts'
import { privateFolder } from '../system/private-files.ts'
import {
  groupOf,
  hasEnded,
  identify,
  isRunning,
  type ProcessIdentity,
  processesMarked,
  signalGroup,
} from '../system/processes.ts'
import { readTail } from './log-tail.ts'
import { safeName, serverFileName } from './names.ts'
import type { RunningServer, Spawner } from './spawner.ts'

/** Environment variable that marks every process started by one hub. */
const MARK = 'HUB_SPAWNED_BY'

/** Options of {@link createProcessSpawner}. */
export interface ProcessSpawnerOptions {
  /** The single-user server and its arguments. */
  readonly command: readonly string[]
  readonly ip: string
  readonly homes: string
  readonly logs: string
  /** Tells this hub's processes from another's. */
  readonly hubId: string
  readonly runAs: 'hub' | 'account'
  readonly memLimitBytes?: number | undefined
  readonly interruptMs: number
  readonly termMs: number
}

/** Runs each server as a process of its own group, which outlives the hub. */
export function createProcessSpawner(options: ProcessSpawnerOptions): Spawner {
  privateFolder(options.homes)
  privateFolder(options.logs)
  const logFile = (user: string, server: string) => path.join(options.logs, `${serverFileName(user, server)}.log`)
  const ports = new PortPool()
  const running = (identity: ProcessIdentity, ip: string, held: HeldPort, ended?: Promise<string>) =>
    runningProcess(options, identity, ip, held, ended)

  return {
    kind: 'process',

    async start(request) {
      const account = options.runAs === 'account' ? systemAccount(request.user) : undefined
      const home = account?.home ?? privateFolder(path.join(options.homes, safeName(request.user)))
      const [program = '', ...args] = options.command
      const limited = withMemoryLimit(program, args, options.memLimitBytes)
      const log = openLog(logFile(request.user, request.server))
      let held: HeldPort | undefined
      try {
        held = await ports.take(options.ip)
        request.signal.throwIfAborted()
        const child = spawn(limited.program, limited.args, {
          cwd: home,
          detached: true,
          stdio: ['ignore', log, log],
          ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
          env: {
            PATH: process.env['PATH'],
            ...request.env,
            HOME: home,
            USER: account?.name ?? request.user,
            SHELL: process.env['SHELL'] ?? '/bin/sh',
            JUPYTERHUB_SERVICE_URL: `http://${options.ip}:${held.port}${request.prefix}`,
            [MARK]: options.hubId,
          },
        })
        await once(child, 'spawn')
        child.unref()
        const ended = Promise.withResolvers<string>()
        child.once('exit', (code, signal) =>
          ended.resolve(signal === null ? `exit code ${String(code)}` : `signal ${signal}`),
        )
        return running(identify(child.pid as number), options.ip, held, ended.promise)
      } catch (error) {
        held?.[Symbol.dispose]()
        throw new HubError('HUB_SPAWN_FAILED', `${program} could not be started: ${reasonOf(error)}`, { cause: error })
      } finally {
        closeSync(log)
      }
    },

    adopt(state, address) {
      const identity = state as unknown as ProcessIdentity
      return Promise.resolve(isRunning(identity) ? running(identity, address.ip, ports.hold(address.port)) : undefined)
    },

    async sweep(known) {
      const leaders = new Set(known.map(({ state }) => state['pid']))
      // A kernel of an adopted server carries the mark too, and belongs to its group.
      const strangers = processesMarked(MARK, options.hubId).filter(({ pid }) => !leaders.has(groupOf(pid)))
      for (const stranger of strangers) signalGroup(stranger, 'SIGKILL')
      await Promise.all(strangers.map((stranger) => hasEnded(stranger, 2000)))
      return strangers.length
    },

    logTail: (user, server) => readTail(logFile(user, server)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function runningProcess(
  { interruptMs, termMs }: ProcessSpawnerOptions,
  identity: ProcessIdentity,
  ip: string,
  held: HeldPort,
  ended?: Promise<string>,
): RunningServer {
  // A found process is no child: nobody tells when it ends, so the poll does.
  const never = Promise.withResolvers<string>()
  return {
    state: { ...identity },
    address: { ip, port: held.port },
    ended: ended ?? never.promise,
    status: () => Promise.resolve(isRunning(identity) ? undefined : 'the process has ended'),
    async stop() {
      for (const [signal, waitMs] of [
        ['SIGINT', interruptMs],
        ['SIGTERM', termMs],
        ['SIGKILL', 5000],
      ] as const) {
        if (!isRunning(identity)) break
        signalGroup(identity, signal)
        if (await hasEnded(identity, waitMs)) break
      }
      // Kernels and shells of its group go with it.
      signalGroup(identity, 'SIGKILL')
      // Stuck in the kernel, on a mount that hangs: as long as it is there it must be known.
      if (isRunning(identity)) throw new Error(`Process ${identity.pid} does not end`)
      held[Symbol.dispose]()
    },
  }
}

function openLog(file: string): number {
  if (existsSync(file)) renameSync(file, `${file}.1`)
  return openSync(file, 'a', 0o600)
}

function withMemoryLimit(program: string, args: readonly string[], bytes: number | undefined) {
  if (bytes === undefined) return { program, args: [...args] }
  // The data segment counts private memory only, so programs that reserve address space still start.
  return { program: 'prlimit', args: [`--data=${bytes}`, program, ...args] }
}

interface SystemAccount {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

function systemAccount(name: string): SystemAccount {
  let line: string
  try {
    line = execFileSync('getent', ['passwd', '--', name], { encoding: 'utf8' })
  } catch {
    throw new HubError('HUB_SPAWN_FAILED', `There is no system account named ${name}`)
  }
  const [found = '', , uid, gid, , home = '/'] = line.trim().split(':')
  if (found !== name || Number(uid) === 0) {
    throw new HubError('HUB_SPAWN_FAILED', `The system account ${name} must not be used for servers`)
  }
  return { name, uid: Number(uid), gid: Number(gid), home }
}
