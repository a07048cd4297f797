import { expect, test } from 'vitest'

import { createHeap } from './heap.ts'

test('gives back what it was given, in order, whatever the order it came in', () => {
  const heap = createHeap<number>((a, b) => a < b)
  const given = Array.from({ length: 500 }, (_, n) => (n * 7919) % 503)
  for (const [index, one] of given.entries()) {
    heap.add(one)
    // Taken out and put back, so that adding and taking meet in all sizes.
    if (index % 3 === 0) heap.add(heap.take()!)
  }
  expect([heap.size, heap.first()]).toEqual([500, Math.min(...given)])
  expect(Array.from(given, () => heap.take())).toEqual(given.toSorted((a, b) => a - b))
  expect([heap.size, heap.first(), heap.take()]).toEqual([0, undefined, undefined])
})

test('lets one go out of the middle, and keeps the others in order', () => {
  const given = Array.from({ length: 101 }, (_, n) => (n * 37) % 101)
  for (const gone of [...given, 1000]) {
    const heap = createHeap<number>((a, b) => a < b)
    for (const one of given) heap.add(one)
    expect(heap.remove((one) => one === gone)).toBe(gone < 1000)
    const left = given.filter((one) => one !== gone).toSorted((a, b) => a - b)
    expect(Array.from(left, () => heap.take())).toEqual(left)
  }
})
