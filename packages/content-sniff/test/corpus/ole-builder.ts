/** A stream or storage below the root of a compound file. */
export interface OleMember {
  readonly name: string
  readonly data?: Uint8Array
  readonly storage?: readonly OleMember[]
}

interface Options {
  /** Class of the root, 32 hexadecimal digits as stored. */
  readonly clsid?: string
  /** Sectors of other data between header and directory, to move the directory out of a head. */
  readonly padSectors?: number
}

const SECTOR = 512

/** Writes a compound file: streams are padded to 4,096 bytes so that none needs the table for small ones. */
export function ole(members: readonly OleMember[], options: Options = {}): Buffer {
  const entries: { name: string; kind: number; child: number; right: number; start: number; size: number }[] = []
  const data: Buffer[] = []
  let sectors = options.padSectors ?? 0
  const chains: [start: number, count: number][] = sectors > 0 ? [[0, sectors]] : []

  const add = (list: readonly OleMember[]): number => {
    let first = 0xffffffff
    let previous = -1
    for (const member of list) {
      const at = entries.length
      entries.push({
        name: member.name,
        kind: member.storage === undefined ? 2 : 1,
        child: 0xffffffff,
        right: 0xffffffff,
        start: 0,
        size: 0,
      })
      const entry = entries[at]
      if (entry === undefined) throw new Error('unreachable')
      if (member.storage === undefined) {
        const bytes = Buffer.alloc(Math.max(4096, Math.ceil((member.data?.length ?? 0) / SECTOR) * SECTOR))
        bytes.set(member.data ?? [])
        entry.start = sectors
        entry.size = bytes.length
        chains.push([sectors, bytes.length / SECTOR])
        sectors += bytes.length / SECTOR
        data.push(bytes)
      } else {
        entry.child = add(member.storage)
      }
      if (previous < 0) first = at
      else if (entries[previous] !== undefined) entries[previous]!.right = at
      previous = at
    }
    return first
  }
  entries.push({ name: 'Root Entry', kind: 5, child: 0xffffffff, right: 0xffffffff, start: 0xfffffffe, size: 0 })
  const child = add(members)
  if (entries[0] !== undefined) entries[0].child = child

  const directorySectors = Math.ceil(entries.length / 4)
  const directory = Buffer.alloc(directorySectors * SECTOR)
  entries.forEach((entry, index) => {
    const at = index * 128
    directory.write(entry.name, at, 'utf16le')
    directory.writeUInt16LE((entry.name.length + 1) * 2, at + 64)
    directory[at + 66] = entry.kind
    directory.writeUInt32LE(0xffffffff, at + 68)
    directory.writeUInt32LE(entry.right, at + 72)
    directory.writeUInt32LE(entry.child, at + 76)
    if (index === 0) directory.set(Buffer.from(options.clsid ?? '', 'hex'), at + 80)
    directory.writeUInt32LE(entry.start, at + 116)
    directory.writeUInt32LE(entry.size, at + 120)
  })
  const directoryStart = sectors
  chains.push([directoryStart, directorySectors])
  sectors += directorySectors
  let tables = 1
  while (tables * (SECTOR / 4) < sectors + tables) tables += 1
  const table = Buffer.alloc(tables * SECTOR, 0xff)
  for (const [start, count] of chains) {
    for (let index = 0; index < count; index += 1) {
      table.writeUInt32LE(index === count - 1 ? 0xfffffffe : start + index + 1, (start + index) * 4)
    }
  }
  const header = Buffer.alloc(SECTOR, 0)
  header.write('d0cf11e0a1b11ae1', 'hex')
  header.writeUInt16LE(0x3e, 24)
  header.writeUInt16LE(3, 26)
  header.writeUInt16LE(0xfffe, 28)
  header.writeUInt16LE(9, 30)
  header.writeUInt16LE(6, 32)
  header.writeUInt32LE(tables, 44)
  header.writeUInt32LE(directoryStart, 48)
  header.writeUInt32LE(4096, 56)
  header.writeUInt32LE(0xfffffffe, 60)
  header.writeUInt32LE(0xfffffffe, 68)
  for (let index = 0; index < 109; index += 1)
    header.writeUInt32LE(index < tables ? sectors + index : 0xffffffff, 76 + index * 4)
  return Buffer.concat([header, Buffer.alloc((options.padSectors ?? 0) * SECTOR, 0x41), ...data, directory, table])
}
