import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, read, rmSync, writeSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'

/** A folder, a file's content, or the error that looking for it gives. */
export type Tree = { readonly [name: string]: Tree | string | { readonly errno: keyof typeof constants.errno } }

// Operation codes and layouts: https://github.com/torvalds/linux/blob/master/include/uapi/linux/fuse.h
const op = { lookup: 1, forget: 2, getattr: 3, open: 14, read: 15, statfs: 17, release: 18, flush: 25 } as const
const writeOp = { unlink: 10, write: 16, fsync: 20, create: 35 } as const
const dirOp = { init: 26, opendir: 27, readdir: 28, releasedir: 29, interrupt: 36, batchForget: 42 } as const
const headerBytes = 40

/** Room of a user, and the call that tells when it is used up: network file systems may notice late. */
export interface Quota {
  readonly bytes: number
  readonly toldAt: 'write' | 'fsync' | 'close'
}

/** A file that somebody made in the mount. */
class WrittenFile {
  bytes = 0
}

/** What one mount holds. */
interface State {
  readonly nodes: (Tree | string | WrittenFile)[]
  /** Files made in its top folder. */
  readonly written: Map<string, WrittenFile>
  readonly quota: Quota | undefined
}

/**
 * A FUSE file system of a few files, served by this process; its mounts look like those of CVMFS or EOS.
 *
 * Read-only, unless there is a quota: then files can be made in its top folder. Nothing in this process may touch it with a blocking call: nobody would answer.
 */
export function serveFuse(
  source: string,
  tree: Tree,
  quota?: Quota,
): Disposable & { readonly dir: string; readonly written: ReadonlyMap<string, unknown> } {
  const dir = mkdtempSync(path.join(tmpdir(), 'fuse-'))
  const device = openSync('/dev/fuse', 'r+')
  execFileSync('mount', ['-i', '-t', 'fuse', '-o', 'fd=3,rootmode=40000,user_id=0,group_id=0', source, dir], {
    stdio: ['ignore', 'ignore', 'pipe', device],
  })
  const state: State = { nodes: [tree], written: new Map(), quota }
  const request = Buffer.alloc(256 * 1024)
  const next = () =>
    read(device, request, 0, request.length, null, (error, length) => {
      // ENODEV: the mount is gone.
      if (error !== null) return closeSync(device)
      const reply = answer(request.subarray(0, length), state)
      if (reply !== undefined) respond(device, reply)
      next()
    })
  next()
  return {
    dir,
    written: state.written,
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', dir])
      rmSync(dir, { recursive: true })
    },
  }
}

function respond(device: number, reply: Buffer): void {
  try {
    writeSync(device, reply)
  } catch {
    // Who asked was killed meanwhile.
  }
}

type Send = (output: Buffer, error?: number) => Buffer

function answer(request: Buffer, state: State): Buffer | undefined {
  const { nodes } = state
  const code = request.readUInt32LE(4)
  const node = nodes[Number(request.readBigUInt64LE(16)) - 1] ?? {}
  const body = request.subarray(headerBytes)
  const send: Send = (output, error = 0) => {
    const header = Buffer.alloc(16)
    header.writeUInt32LE(16 + output.length, 0)
    header.writeInt32LE(-error, 4)
    request.copy(header, 8, 8, 16)
    return Buffer.concat([header, output])
  }
  switch (code) {
    case dirOp.init:
      return send(initReply())
    case op.lookup:
      return lookup(node, textAt(body, 0), state, send)
    case op.getattr:
      return send(Buffer.concat([Buffer.alloc(16), attributes(node, nodes)]))
    case op.open:
    case dirOp.opendir:
      return send(Buffer.alloc(16))
    case op.read:
      return send(slice(Buffer.from(typeof node === 'string' ? node : ''), body))
    case dirOp.readdir:
      return send(slice(entries(node), body))
    case op.statfs:
      return send(Buffer.alloc(80))
    case op.flush:
      return told(state, 'close', send)
    case writeOp.fsync:
      return told(state, 'fsync', send)
    case writeOp.create:
      return state.quota === undefined ? send(Buffer.alloc(0), constants.errno.EROFS) : create(body, state, send)
    case writeOp.write:
      return write(node, body, state, send)
    case writeOp.unlink:
      return send(Buffer.alloc(0), state.written.delete(textAt(body, 0)) ? 0 : constants.errno.ENOENT)
    case op.release:
    case dirOp.releasedir:
      return send(Buffer.alloc(0))
    case op.forget:
    case dirOp.batchForget:
    case dirOp.interrupt:
      return undefined
    default:
      return send(Buffer.alloc(0), constants.errno.ENOSYS)
  }
}

function initReply(): Buffer {
  const reply = Buffer.alloc(64)
  reply.writeUInt32LE(7, 0)
  reply.writeUInt32LE(31, 4)
  reply.writeUInt32LE(128 * 1024, 20)
  return reply
}

const textAt = (body: Buffer, offset: number): string => body.toString('utf8', offset).split('\0', 1)[0] ?? ''

/** Done, unless this is the call that tells about the quota. */
function told({ quota, written }: State, at: Quota['toldAt'], send: Send): Buffer {
  const used = [...written.values()].reduce((sum, file) => sum + file.bytes, 0)
  const over = quota?.toldAt === at && used > quota.bytes
  return send(Buffer.alloc(0), over ? constants.errno.EDQUOT : 0)
}

/** Name and mode come in; the new node and an open handle go out. */
function create(body: Buffer, state: State, send: Send): Buffer {
  const file = new WrittenFile()
  state.nodes.push(file)
  state.written.set(textAt(body, 16), file)
  return send(Buffer.concat([entryOf(file, state.nodes), Buffer.alloc(16)]))
}

function write(node: Tree | string | WrittenFile, body: Buffer, state: State, send: Send): Buffer {
  if (!(node instanceof WrittenFile)) return send(Buffer.alloc(0), constants.errno.EROFS)
  const size = body.readUInt32LE(16)
  node.bytes = Math.max(node.bytes, Number(body.readBigUInt64LE(8)) + size)
  const reply = Buffer.alloc(8)
  reply.writeUInt32LE(size, 0)
  const refusal = told(state, 'write', send)
  return refusal.readInt32LE(4) === 0 ? send(reply) : refusal
}

function lookup(node: Tree | string | WrittenFile, name: string, state: State, send: Send): Buffer {
  const { nodes, written } = state
  const inTree = typeof node === 'string' || node instanceof WrittenFile ? undefined : node[name]
  const found = (node === nodes[0] ? written.get(name) : undefined) ?? inTree
  if (found === undefined) return send(Buffer.alloc(0), constants.errno.ENOENT)
  if (typeof found !== 'string' && 'errno' in found && typeof found.errno === 'string') {
    return send(Buffer.alloc(0), constants.errno[found.errno as keyof typeof constants.errno])
  }
  if (!nodes.includes(found as Tree)) nodes.push(found as Tree)
  return send(entryOf(found as Tree, nodes))
}

function entryOf(node: Tree | string | WrittenFile, nodes: State['nodes']): Buffer {
  const entry = Buffer.alloc(40)
  entry.writeBigUInt64LE(BigInt(nodes.indexOf(node) + 1), 0)
  return Buffer.concat([entry, attributes(node, nodes)])
}

function attributes(node: Tree | string | WrittenFile, nodes: State['nodes']): Buffer {
  const reply = Buffer.alloc(88)
  const bytes = node instanceof WrittenFile ? node.bytes : typeof node === 'string' ? Buffer.byteLength(node) : 0
  const mode = node instanceof WrittenFile ? 0o100600 : typeof node === 'string' ? 0o100444 : 0o040555
  reply.writeBigUInt64LE(BigInt(nodes.indexOf(node) + 1), 0)
  reply.writeBigUInt64LE(BigInt(bytes), 8)
  reply.writeUInt32LE(mode, 60)
  reply.writeUInt32LE(1, 64)
  return reply
}

function entries(node: Tree | string | WrittenFile): Buffer {
  const names = typeof node === 'string' || node instanceof WrittenFile ? [] : Object.entries(node)
  let offset = 0
  const records = names.map(([name, child], index) => {
    const bytes = Buffer.from(name)
    const record = Buffer.alloc(24 + Math.ceil(bytes.length / 8) * 8)
    offset += record.length
    record.writeBigUInt64LE(BigInt(index + 2), 0)
    record.writeBigUInt64LE(BigInt(offset), 8)
    record.writeUInt32LE(bytes.length, 16)
    // DT_REG and DT_DIR.
    record.writeUInt32LE(typeof child === 'string' ? 8 : 4, 20)
    bytes.copy(record, 24)
    return record
  })
  return Buffer.concat(records)
}

/** The part that a read asks for: offset and size stand behind the file handle. */
function slice(whole: Buffer, body: Buffer): Buffer {
  const offset = Number(body.readBigUInt64LE(8))
  return whole.subarray(offset, offset + body.readUInt32LE(16))
}
