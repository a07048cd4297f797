import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

import { ProbeError } from '../../errors.ts'
import { blockBytes } from './content.ts'
import type { Step } from './step.ts'

/** What reading a file gave. */
export interface Reading {
  readonly bytes: number
  readonly sha256: string
  /** Time inside the system calls: open, reads, close. */
  readonly seconds: number
  /** Until the first byte was there, open included. */
  readonly firstByteSeconds: number
  /** `direct` read the disk past the kernel's cache; `cached` may not have. */
  readonly way: 'direct' | 'cached'
}

interface ReadInput {
  readonly path: string
  /** Stop after this many bytes, or up to a block later: what grows meanwhile must not be read for ever. */
  readonly atMost?: number
  /** Ask for a read past the cache where the file system can. */
  readonly direct: boolean
}

const wasmPageBytes = 65_536

// Direct reads want memory that starts on a page; a Buffer does not, WebAssembly's memory does.
// https://man7.org/linux/man-pages/man2/open.2.html#NOTES
interface WasmGlobal {
  // The types of Node leave WebAssembly to the ones of browsers, which this project does not load.
  readonly WebAssembly: { readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer } }
}
let memory: Uint8Array | undefined
const aligned = (): Uint8Array => {
  const { Memory } = (globalThis as unknown as WasmGlobal).WebAssembly
  memory ??= new Uint8Array(new Memory({ initial: blockBytes / wasmPageBytes }).buffer)
  return memory
}

/** Reads a plain file and gives its digest. A file that is replaced meanwhile is still read as the one that was opened. */
export function readFile(input: ReadInput, step: Step): Reading {
  try {
    return read(input, input.direct, step)
  } catch (error) {
    // tmpfs and some FUSE file systems refuse O_DIRECT, at open or at the first read.
    if (input.direct && (error as NodeJS.ErrnoException).code === 'EINVAL') return read(input, false, step)
    throw error
  }
}

function read(input: ReadInput, direct: boolean, step: Step): Reading {
  const block = aligned()
  const hash = createHash('sha256')
  const atMost = input.atMost ?? Infinity
  step('open')
  const started = process.hrtime.bigint()
  // Without O_NONBLOCK a named pipe at this path would wait for a writer.
  const fd = openSync(input.path, constants.O_RDONLY | constants.O_NONBLOCK | (direct ? constants.O_DIRECT : 0))
  let spent = process.hrtime.bigint() - started
  let first: bigint | undefined
  let bytes = 0
  try {
    if (!fstatSync(fd).isFile()) throw new ProbeError('PROBE_FILE', `Expected a plain file at \`${input.path}\``)
    step('read')
    while (bytes < atMost) {
      const begin = process.hrtime.bigint()
      const got = readSync(fd, block, 0, direct ? blockBytes : Math.min(blockBytes, atMost - bytes), null)
      spent += process.hrtime.bigint() - begin
      if (got === 0) break
      first ??= spent
      hash.update(block.subarray(0, got))
      bytes += got
    }
  } finally {
    closeSync(fd)
  }
  return {
    bytes,
    sha256: hash.digest('hex'),
    seconds: Number(spent) / 1e9,
    firstByteSeconds: Number(first ?? spent) / 1e9,
    way: direct ? 'direct' : 'cached',
  }
}
