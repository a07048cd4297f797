import { readTail } from '../layers/zip/records.ts'
import type { ByteSource } from '../source/byte-source.ts'

/** Whether a file is all there. */
export type Soundness = 'sound' | 'TRUNCATED' | 'TOO_SHORT'

type Check = (source: ByteSource & { readonly size: number }, head: Buffer) => Soundness | Promise<Soundness>

/** Steps taken through a chain of boxes or chunks; hostile files have no end of them. */
const MOST_STEPS = 64

const CHECKS: Readonly<Record<string, Check>> = {
  'image/png': checkPng,
  'image/apng': checkPng,
  'image/gif': checkGif,
  'image/jpeg': checkJpeg,
  'image/bmp': (source, head) => (source.size < 26 ? 'TOO_SHORT' : announced(source.size, head.readUInt32LE(2))),
  'image/webp': checkRiff,
  'audio/wav': checkRiff,
  'video/vnd.avi': checkRiff,
  'application/pdf': checkPdf,
  'application/gzip': (source) => (source.size < 18 ? 'TOO_SHORT' : 'sound'),
  'video/mp4': checkBoxes,
  'video/quicktime': checkBoxes,
  'audio/mp4': checkBoxes,
  'image/avif': checkBoxes,
  'image/heic': checkBoxes,
}

/** Looks for the end that a format promises; formats that promise none count as sound, streams until they ended too. */
export async function checkSoundness(source: ByteSource, mime: string): Promise<Soundness> {
  const check = Object.hasOwn(CHECKS, mime) ? CHECKS[mime] : undefined
  if (check === undefined || source.size === undefined) return 'sound'
  const { head, read, size } = source
  return check({ head, read, size }, Buffer.from(head.buffer, head.byteOffset, head.byteLength))
}

const announced = (size: number, expected: number): Soundness => (expected > size ? 'TRUNCATED' : 'sound')

async function tailHas(source: ByteSource, mark: Buffer): Promise<Soundness> {
  return Buffer.from(await readTail(source)).includes(mark) ? 'sound' : 'TRUNCATED'
}

function checkPng(source: ByteSource, head: Buffer): Soundness | Promise<Soundness> {
  if (head.length < 33 || head.toString('latin1', 12, 16) !== 'IHDR') return 'TOO_SHORT'
  return tailHas(source, Buffer.from('49454e44ae426082', 'hex'))
}

function checkGif(source: ByteSource, head: Buffer): Soundness | Promise<Soundness> {
  // Header and screen descriptor are 13 bytes, the smallest picture takes some ten more.
  if (head.length < 13 + 11) return 'TOO_SHORT'
  return tailHas(source, Buffer.from('003b', 'hex'))
}

/** A photograph needs a frame header before its scan, and an end. */
async function checkJpeg(source: ByteSource, head: Buffer): Promise<Soundness> {
  if (head.length < 64) return 'TOO_SHORT'
  let at = 2
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const segment = await source.read(at, 4)
    if (segment.length < 4) return 'TRUNCATED'
    const marker = segment[1] ?? 0
    if (segment[0] !== 0xff) {
      // Readers skip stray bytes between segments, and so does this one as far as it can see.
      at = head.indexOf(0xff, at)
      if (at < 0) return 'TRUNCATED'
      continue
    }
    if (marker === 0xff) {
      at += 1
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return tailHas(source, Buffer.from('ffd9', 'hex'))
    if (marker === 0xda || marker === 0xd9) return 'TRUNCATED'
    at += 2 + (((segment[2] ?? 0) << 8) | (segment[3] ?? 0))
  }
  return tailHas(source, Buffer.from('ffd9', 'hex'))
}

function checkRiff(source: { readonly size: number }, head: Buffer): Soundness {
  if (head.length < 20) return 'TOO_SHORT'
  const size = head.readUInt32LE(4)
  // Recorders that cannot seek back leave 0 or all ones; one byte of padding is often missing.
  return size === 0 || size >= 0xfffffff0 ? 'sound' : announced(source.size + 1, size + 8)
}

function checkPdf(source: { readonly size: number } & ByteSource): Soundness | Promise<Soundness> {
  return source.size < 64 ? 'TOO_SHORT' : tailHas(source, Buffer.from('%%EOF'))
}

async function checkBoxes(source: ByteSource & { readonly size: number }): Promise<Soundness> {
  let at = 0
  for (let step = 0; step < MOST_STEPS && at < source.size; step += 1) {
    const header = Buffer.from(await source.read(at, 16))
    if (header.length < 8) return at + header.length >= source.size ? 'TRUNCATED' : 'sound'
    const small = header.readUInt32BE(0)
    if (small === 0) return 'sound'
    if (small === 1 && header.length < 16) return 'TRUNCATED'
    const size = small === 1 ? Number(header.readBigUInt64BE(8)) : small
    if (size < 8) return 'sound'
    if (at + size > source.size) return 'TRUNCATED'
    at += size
  }
  return 'sound'
}
