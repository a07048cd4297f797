import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { freePort } from './free-port.ts'

/** A Redis server of a test's own; disposing stops it and removes its folder. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>
}

/**
 * Starts `redis-server` on a loopback port with its data in a temporary folder.
 *
 * @param options - `appendOnly`: keep a log that survives a kill; `dir` and `port`: take up a former server's place.
 * @throws Error when the program ends before it accepts connections.
 */
export async function startRedis(
  options: { readonly appendOnly?: boolean; readonly dir?: string; readonly port?: number } = {},
): Promise<RedisServer> {
  const dir = options.dir ?? mkdtempSync(path.join(tmpdir(), 'redis-'))
  const port = options.port ?? (await freePort())
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '']
      .concat(['--appendonly', options.appendOnly === true ? 'yes' : 'no', '--appendfsync', 'always'])
      .concat(['--maxmemory-policy', 'noeviction']),
    { stdio: 'ignore' },
  )
  const ended = once(child, 'exit')
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode} before it was ready`)
    await delay(20)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  socket.on('connect', () => {
    socket.destroy()
    resolve(true)
  })
  socket.on('error', () => resolve(false))
  return promise
}
