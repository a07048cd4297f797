import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Holds a folder for this process until disposed; the kernel lets go when the process dies. */
export type FolderLock = AsyncDisposable

/**
 * Takes a folder for this process alone, across processes of one machine.
 *
 * A listening socket is used because Node has no file locks: on Linux a name in the abstract space, which vanishes with
 * the process. Elsewhere a socket file, where a left-over one is recognised by nobody answering; two processes that find
 * the same left-over at the same moment are then only kept apart by Postgres itself.
 *
 * @returns `undefined` when another holder lives.
 */
export async function lockFolder(folder: string): Promise<FolderLock | undefined> {
  const { dev, ino } = await stat(folder)
  const name = `container-pg-embedded-${dev}-${ino}`
  if (process.platform === 'linux') return listen(`\0${name}`)
  const file = path.join(tmpdir(), name)
  const lock = await listen(file)
  if (lock !== undefined || (await answers(file))) return lock
  rmSync(file, { force: true })
  return listen(file)
}

async function listen(address: string): Promise<FolderLock | undefined> {
  const server = createServer((socket) => socket.destroy())
  server.listen(address)
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
