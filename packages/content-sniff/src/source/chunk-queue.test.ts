import fc from 'fast-check'
import { expect, test } from 'vitest'

import { ChunkQueue } from './chunk-queue.ts'
import { closing } from './closing.ts'
import { TailKeeper } from './tail-keeper.ts'

const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 4000, max: 70_000 })), {
  maxLength: 40,
})

/** Chunks of some sizes whose bytes count up, so that no two places look alike. */
function chunksOf(lengths: readonly number[]): Uint8Array[] {
  let next = 0
  return lengths.map((length) => Uint8Array.from({ length }, () => (next = (next * 31 + 7) % 251)))
}

test('what goes into a queue comes out of it, in order', () => {
  fc.assert(
    fc.property(sizes, sizes, (first, second) => {
      const queue = new ChunkQueue()
      const chunks = chunksOf([...first, ...second])
      const out: Uint8Array[] = []
      for (const [index, chunk] of chunks.entries()) {
        queue.push(chunk)
        if (index % 3 === 2) out.push(queue.shift() ?? new Uint8Array(0))
      }
      expect(Buffer.concat([...out, ...queue.all()]).equals(Buffer.concat(chunks))).toBe(true)
      expect(queue.length).toBe(Buffer.concat(queue.all()).length)
      out.push(...queue.takeAll())
      expect(Buffer.concat(out).equals(Buffer.concat(chunks))).toBe(true)
      expect([queue.length, queue.shift()]).toEqual([0, undefined])
    }),
    { numRuns: 40 },
  )
})

test('small chunks are gathered, and a copy of them is kept', () => {
  const queue = new ChunkQueue()
  const reused = new Uint8Array(10)
  for (let value = 0; value < 10_000; value += 1) queue.push(reused.fill(value % 256))
  const chunks = queue.takeAll()
  expect(chunks.length).toBe(2)
  expect(Buffer.concat(chunks)[10]).toBe(1)
})

test('a tail is the end of all that went by', () => {
  fc.assert(
    fc.property(sizes, (lengths) => {
      const tail = new TailKeeper(10_000)
      const chunks = chunksOf(lengths)
      for (const chunk of chunks) tail.add(chunk)
      const whole = Buffer.concat(chunks)
      expect(tail.total).toBe(whole.length)
      expect(whole.subarray(-10_000).equals(tail.bytes())).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test.each([
  ['at the end', async (steps: AsyncIterableIterator<number>) => void (await steps.next(), await steps.next())],
  [
    'when it is left before its first step',
    async (steps: AsyncIterableIterator<number>) => void (await steps.return?.()),
  ],
  [
    'when it is left on the way',
    async (steps: AsyncIterableIterator<number>) => {
      for await (const step of steps) if (step === 1) break
    },
  ],
])('closes once, %s', async (_, use) => {
  let closed = 0
  async function* steps(): AsyncGenerator<number, void> {
    yield 1
  }
  const all = closing(steps(), () => void (closed += 1))
  await use(all)
  await all.return?.()
  expect(closed).toBe(1)
})

test('closes behind a failure, which comes out unchanged', async () => {
  let closed = 0
  const failure = new Error('gone')
  const steps = closing({ next: () => Promise.reject(failure) }, () => void (closed += 1))
  await expect(steps.next()).rejects.toBe(failure)
  expect(closed).toBe(1)
})
