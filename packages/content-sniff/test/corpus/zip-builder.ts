import { crc32, deflateRawSync } from 'node:zlib'

/** A member to pack; `claim` overrides what the headers say about it. */
export interface Member {
  readonly name: string
  readonly data?: Uint8Array | string
  readonly stored?: boolean
  /** Sizes follow the data, as in archives that were written to a pipe. */
  readonly streamed?: boolean
  readonly encrypted?: boolean
  readonly claim?: { readonly packed?: number; readonly unpacked?: number }
}

/** Writes a zip archive, or one that lies in just the ways a test asks for. */
export function zip(
  members: readonly Member[],
  options: { readonly comment?: string; readonly claimed?: number } = {},
): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const member of members) {
    const name = Buffer.from(member.name)
    const data = Buffer.from(member.data ?? '')
    const stored = member.stored ?? false
    const packed = stored ? data : deflateRawSync(data)
    const flags = 0x800 | (member.encrypted === true ? 1 : 0) | (member.streamed === true ? 8 : 0)
    const sizes = { packed: member.claim?.packed ?? packed.length, unpacked: member.claim?.unpacked ?? data.length }
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(stored ? 0 : 8, 4)
    common.writeUInt32LE(0x5a21, 6)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(sizes.packed, 14)
    common.writeUInt32LE(sizes.unpacked, 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.from(common)
    if (member.streamed === true) local.fill(0, 10, 22)
    const descriptor = Buffer.alloc(member.streamed === true ? 16 : 0)
    if (member.streamed === true) {
      descriptor.write('PK\x07\x08', 'latin1')
      common.copy(descriptor, 4, 10, 22)
    }
    const central = Buffer.alloc(16)
    central.writeUInt32LE(offset, 12)
    parts.push(Buffer.from('PK\x03\x04'), local, name, packed, descriptor)
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, Buffer.alloc(0), central.subarray(2), name]),
    )
    offset += 30 + name.length + packed.length + descriptor.length
  }
  const central = Buffer.concat(directory)
  const comment = Buffer.from(options.comment ?? '')
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(options.claimed ?? members.length, 8)
  end.writeUInt16LE(options.claimed ?? members.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...parts, central, end, comment])
}
