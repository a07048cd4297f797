import { expect, test } from 'vitest'

import { frameLines, frames } from './frames.ts'

const frame = (kind: number, text: string): Buffer => {
  const head = Buffer.alloc(8)
  head[0] = kind
  head.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([head, Buffer.from(text)])
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const all = Buffer.concat([frame(1, 'one\ntw'), frame(2, 'careful\r\n'), frame(1, ''), frame(1, 'größe')])

test.each([1, 2, 7, 8, 9, 1000])('finds the frames in pieces of %i bytes', async (size) => {
  const found: string[] = []
  for await (const { kind, chunk } of frames(inPieces(all, size))) found.push(`${kind} ${chunk.toString()}`)
  expect(found).toEqual(['output one\ntw', 'errors careful\r\n', 'output ', 'output größe'])
})

test.each([1, 3, 1000])('finds the lines in pieces of %i bytes', async (size) => {
  const lines: string[] = []
  for await (const line of frameLines(inPieces(all, size))) lines.push(line)
  expect(lines).toEqual(['one', 'twcareful', 'größe'])
})
