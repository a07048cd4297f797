import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, read, rmSync, writeSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'

/** A folder, a file's content, or the error that looking for it gives. */
export type Tree = { readonly [name: string]: Tree | string | { readonly errno: keyof typeof constants.errno } }

// Operation codes and layouts: https://github.com/torvalds/linux/blob/master/include/uapi/linux/fuse.h
const op = { lookup: 1, forget: 2, getattr: 3, open: 14, read: 15, statfs: 17, release: 18, flush: 25 } as const
const dirOp = { init: 26, opendir: 27, readdir: 28, releasedir: 29, interrupt: 36, batchForget: 42 } as const
const headerBytes = 40

/**
 * A read-only FUSE file system of a few files, served by this process; its mounts look like those of CVMFS or EOS.
 *
 * Nothing in this process may touch it with a blocking call: nobody would answer.
 */
export function serveFuse(source: string, tree: Tree): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(path.join(tmpdir(), 'fuse-'))
  const device = openSync('/dev/fuse', 'r+')
  execFileSync('mount', ['-i', '-t', 'fuse', '-o', 'fd=3,rootmode=40000,user_id=0,group_id=0', source, dir], {
    stdio: ['ignore', 'ignore', 'pipe', device],
  })
  const nodes: (Tree | string)[] = [tree]
  const request = Buffer.alloc(256 * 1024)
  const next = () =>
    read(device, request, 0, request.length, null, (error, length) => {
      // ENODEV: the mount is gone.
      if (error !== null) return closeSync(device)
      const reply = answer(request.subarray(0, length), nodes)
      if (reply !== undefined) respond(device, reply)
      next()
    })
  next()
  return {
    dir,
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

function answer(request: Buffer, nodes: (Tree | string)[]): Buffer | undefined {
  const code = request.readUInt32LE(4)
  const node = nodes[Number(request.readBigUInt64LE(16)) - 1] ?? {}
  const body = request.subarray(headerBytes)
  const send = (output: Buffer, error = 0) => {
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
      return lookup(node, body.toString('utf8').split('\0', 1)[0] ?? '', nodes, send)
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
    case op.release:
    case op.flush:
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

function lookup(
  node: Tree | string,
  name: string,
  nodes: (Tree | string)[],
  send: (output: Buffer, error?: number) => Buffer,
): Buffer {
  const found = typeof node === 'string' ? undefined : node[name]
  if (found === undefined) return send(Buffer.alloc(0), constants.errno.ENOENT)
  if (typeof found !== 'string' && typeof found['errno'] === 'string' && found['errno'] in constants.errno) {
    return send(Buffer.alloc(0), constants.errno[found['errno'] as keyof typeof constants.errno])
  }
  if (!nodes.includes(found as Tree)) nodes.push(found as Tree)
  const entry = Buffer.alloc(40)
  entry.writeBigUInt64LE(BigInt(nodes.indexOf(found as Tree) + 1), 0)
  return send(Buffer.concat([entry, attributes(found as Tree, nodes)]))
}

function attributes(node: Tree | string, nodes: readonly (Tree | string)[]): Buffer {
  const reply = Buffer.alloc(88)
  reply.writeBigUInt64LE(BigInt(nodes.indexOf(node) + 1), 0)
  reply.writeBigUInt64LE(BigInt(typeof node === 'string' ? Buffer.byteLength(node) : 0), 8)
  reply.writeUInt32LE(typeof node === 'string' ? 0o100444 : 0o040555, 60)
  reply.writeUInt32LE(1, 64)
  return reply
}

function entries(node: Tree | string): Buffer {
  const names = typeof node === 'string' ? [] : Object.entries(node)
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
