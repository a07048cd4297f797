import { closeSync, fsyncSync, mkdirSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'

import { showBytes } from '../../config/sizes.ts'
import { ProbeError } from '../../errors.ts'
import { blockBytes, contentOf } from './content.ts'
import type { Step } from './step.ts'

interface WriteInput {
  /** Must not exist: a probe never writes over what it finds. */
  readonly path: string
  readonly bytes: number
  readonly seed: string
}

/** Room that a probe leaves free, in bytes: a full file system hurts its users more than a missing measurement. */
const reserveBytes = 16 * 1024 * 1024

/** Makes a new folder. */
export function makeFolder(input: { readonly path: string; readonly needBytes: number }, step: Step): void {
  checkRoom(path.dirname(input.path), input.needBytes, step)
  step('mkdir')
  mkdirSync(input.path, { mode: 0o700 })
}

/** Writes a new file to the disk, fsync and close included. A partial file is taken away again. */
export function writeFile(input: WriteInput, step: Step): { readonly seconds: number } {
  checkRoom(path.dirname(input.path), input.bytes, step)
  step('create')
  const started = process.hrtime.bigint()
  const fd = openSync(input.path, 'wx', 0o600)
  let spent = process.hrtime.bigint() - started
  const timed = (action: () => void) => {
    const begin = process.hrtime.bigint()
    action()
    spent += process.hrtime.bigint() - begin
  }
  let open = true
  try {
    const next = contentOf(input.seed)
    step('write')
    for (let left = input.bytes; left > 0; left -= blockBytes) {
      const block = next(Math.min(left, blockBytes))
      timed(() => writeFully(fd, block))
    }
    step('fsync')
    timed(() => fsyncSync(fd))
    step('close')
    // Quota and space errors of network file systems come at close; whatever it says, the descriptor is gone.
    open = false
    timed(() => closeSync(fd))
    return { seconds: Number(spent) / 1e9 }
  } catch (error) {
    if (open) attempt(() => closeSync(fd))
    attempt(() => unlinkSync(input.path))
    throw error
  }
}

function writeFully(fd: number, block: Uint8Array): void {
  for (let done = 0; done < block.length;) done += writeSync(fd, block, done)
}

function checkRoom(folder: string, bytes: number, step: Step): void {
  step('statfs')
  const room = statfsSync(folder)
  const free = room.bavail * room.bsize
  // Some network file systems report no size at all; they are judged by the write itself.
  if (room.blocks > 0 && bytes + reserveBytes > free) {
    throw new ProbeError(
      'PROBE_NO_SPACE',
      `Expected room for ${showBytes(bytes)} and a reserve of ${showBytes(reserveBytes)} in \`${folder}\`, ` +
        `${showBytes(free)} are free: nothing was written`,
    )
  }
}

/** Does what can be done after a failure; the failure itself is what gets reported. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // The first error tells more than this one.
  }
}
