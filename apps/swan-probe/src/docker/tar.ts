/** A file or folder for an archive. */
export interface TarEntry {
  readonly name: string
  readonly mode: number
  /** Content, `undefined` for a folder. */
  readonly content: Uint8Array | undefined
}

const blockBytes = 512

/**
 * Packs entries owned by root as a ustar archive, piece by piece.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
export async function* packTar(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    yield header(entry)
    if (entry.content === undefined) continue
    yield entry.content
    yield Buffer.alloc((blockBytes - (entry.content.length % blockBytes)) % blockBytes)
  }
  yield Buffer.alloc(2 * blockBytes)
}

function header({ name, mode, content }: TarEntry): Buffer {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  block.write(name, 0, 100, 'utf8')
  octal(mode, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(content?.length ?? 0, 124, 12)
  octal(0, 136, 12)
  block.write(content === undefined ? '5' : '0', 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  // The sum counts its own field as spaces.
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
