import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Holds a name for this process until disposed; the kernel lets go when the process dies. */
export type KernelLock = AsyncDisposable

/**
 * Takes a name for this process alone, across the processes of one machine (of one network namespace).
 *
 * A listening socket is used because Node has no file locks: on Linux a name in the abstract space, which vanishes with
 * the process. Elsewhere a socket file, where a left-over one is recognised by nobody answering; there two processes that
 * find the same left-over at the same moment are not kept apart.
 *
 * @returns `undefined` when another holder lives, in this process or another.
 */
export async function tryLock(name: string): Promise<KernelLock | undefined> {
  // Socket names end at about 100 bytes.
  const short = `container-pg-${createHash('sha256').update(name).digest('hex').slice(0, 40)}`
  if (process.platform === 'linux') return listen(`\0${short}`)
  const file = path.join(tmpdir(), short)
  const lock = await listen(file)
  if (lock !== undefined || (await answers(file))) return lock
  rmSync(file, { force: true })
  return listen(file)
}

/**
 * Waits for a name.
 *
 * @returns `undefined` when another holder kept it for `timeoutMs`.
 */
export async function waitForLock(name: string, timeoutMs: number): Promise<KernelLock | undefined> {
  for (const deadline = performance.now() + timeoutMs; ;) {
    const lock = await tryLock(name)
    if (lock !== undefined || performance.now() > deadline) return lock
    await delay(15)
  }
}

async function listen(address: string): Promise<KernelLock | undefined> {
  const server = createServer((socket) => socket.destroy())
  // Without `exclusive` the workers of a Node cluster share one socket, and all of them would hold the name.
  server.listen({ path: address, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
  server.unref()
  return {
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

async function answers(file: string): Promise<boolean> {
  const socket = connect(file)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
