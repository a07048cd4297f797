import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** What happens to the first request that matches. */
export interface Fault {
  /** Matches the first line of a request, such as `POST /containers/create?name=… HTTP/1.1`. */
  readonly on: RegExp
  /** `before`: cut without asking the engine. `after`: the engine does it, the answer is lost. */
  readonly cut?: 'before' | 'after'
  /** With `after`: how much of the answer still comes through, in bytes. @default 0 */
  readonly passing?: number
  /** Called before the request goes on. */
  readonly meanwhile?: () => Promise<void> | void
  /** How often it strikes. @default 1 */
  readonly times?: number
  /** How many requests that match are let through before. @default 0 */
  readonly skip?: number
}

/** A door before the engine's socket, at which chosen requests go wrong. */
export interface CutProxy extends AsyncDisposable {
  readonly socketPath: string
  /** How many faults have struck. */
  struck(): number
  /** Comes when a fault has struck, and the engine has done what it was still asked. */
  readonly done: Promise<void>
}

export async function cutProxy(...faults: readonly Fault[]): Promise<CutProxy> {
  const folder = mkdtempSync(path.join(tmpdir(), 'cpg-proxy-'))
  const socketPath = path.join(folder, 'engine.sock')
  const sockets = new Set<Socket>()
  const left = faults.map((fault) => ({ fault, times: fault.times ?? 1, skip: fault.skip ?? 0 }))
  let struck = 0
  const done = Promise.withResolvers<void>()
  const server = createServer((client) => {
    const engine = connect(process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock')
    for (const socket of [client, engine]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    /** Bytes that still come through, `undefined` for all. */
    let passing: number | undefined
    const handle = async (chunk: Buffer) => {
      const [line = ''] = chunk.toString('latin1').split('\r\n', 1)
      const hit = left.find(({ fault, times }) => times > 0 && fault.on.test(line))
      if (hit !== undefined && hit.skip > 0) hit.skip -= 1
      else if (hit !== undefined) {
        hit.times -= 1
        struck += 1
        await hit.fault.meanwhile?.()
        if (hit.fault.cut === 'before') {
          done.resolve()
          return client.destroy()
        }
        if (hit.fault.cut === 'after') passing = hit.fault.passing ?? 0
      }
      return engine.write(chunk)
    }
    let queue: Promise<unknown> = Promise.resolve()
    client.on('data', (chunk: Buffer) => {
      queue = queue.then(() => handle(chunk))
    })
    engine.on('data', (chunk) => {
      if (passing !== undefined) passing -= chunk.length
      if (passing === undefined || passing > 0) return void client.write(chunk)
      done.resolve()
      client.destroy()
    })
    // An engine that is still to answer is heard out.
    client.on('close', () => passing ?? engine.destroy())
    engine.on('close', () => client.destroy())
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    socketPath,
    struck: () => struck,
    done: done.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
