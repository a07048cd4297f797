import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Users of every test hub. The servers of `failing` end at once, those of `never` never answer. */
export const hubUsers = ['alice', 'bob', 'user1', 'user10', 'failing', 'never'] as const

/** A running hub that probes are tried on. */
export interface TestHub extends AsyncDisposable {
  readonly port: number
  /** Token of a service that may do everything. */
  readonly token: string
  readonly database: string
  /** Process of the hub itself, which its proxy outlives. */
  readonly pid: number
}

interface Program {
  readonly dir: string
  readonly command: readonly [string, ...string[]]
  readonly env?: NodeJS.ProcessEnv
  readonly port: number
  readonly token: string
  readonly database: string
  /** File with the process id of the proxy, bare or in JSON. */
  readonly proxyPid: string
}

/** A folder for a hub, with the program that its users' servers run: `server`, but for the two who have faults. */
export function hubFolder(server: string): { readonly dir: string; readonly wrapper: string } {
  const dir = mkdtempSync(path.join(tmpdir(), 'test-hub-'))
  const wrapper = path.join(dir, 'server.sh')
  writeFileSync(
    wrapper,
    `#!/bin/sh
case "$JUPYTERHUB_USER" in failing) exit 1 ;; never) exec sleep 3600 ;; esac
exec ${server} "$@"
`,
    { mode: 0o755 },
  )
  return { dir, wrapper }
}

/** Starts a hub's program and waits until it answers. */
export async function runHubProgram(program: Program): Promise<TestHub> {
  const { command, database, dir, env, port, token } = program
  const [name, ...words] = command
  const log = path.join(dir, 'hub.log')
  const output = openSync(log, 'w')
  const child: ChildProcess = spawn(name, words, {
    cwd: dir,
    stdio: ['ignore', output, output],
    detached: true,
    env: { ...process.env, ...env },
  })
  const ended = once(child, 'exit')
  while (!(await answers(`http://127.0.0.1:${port}/hub/api/`))) {
    if (child.exitCode !== null) throw new Error(`The hub ended:\n${readFileSync(log, 'utf8')}`)
    await delay(100)
  }
  for (const user of hubUsers) {
    await fetch(`http://127.0.0.1:${port}/hub/api/users/${user}`, {
      method: 'POST',
      headers: { authorization: `token ${token}` },
    })
  }
  return {
    port,
    token,
    database,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      end(child.pid, 'SIGCONT')
      end(child.pid, 'SIGTERM')
      const timer = setTimeout(() => end(child.pid, 'SIGKILL'), 15_000)
      await ended
      clearTimeout(timer)
      // A hub that was killed leaves its proxy behind.
      end(pidIn(program.proxyPid), 'SIGTERM')
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function end(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch {
    // It is gone, which is what was wanted.
  }
}

function pidIn(file: string): number | undefined {
  try {
    return Number.parseInt(/(?:^|"pid":)(\d+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '', 10)
  } catch {
    return undefined
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200
  } catch {
    return false
  }
}
