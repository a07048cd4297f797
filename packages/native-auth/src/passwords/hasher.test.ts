import argon2 from 'argon2'
import { describe, expect, test } from 'vitest'

import { nodeRsHasher } from '../node-rs.ts'
import { argon2Hasher, FLOOR, readCost } from './hasher.ts'

describe.each([
  ['argon2', argon2Hasher],
  ['@node-rs/argon2', nodeRsHasher],
])('the hasher on %s', (_, create) => {
  test('makes argon2id strings at the floor, each with its own salt', async () => {
    const hasher = create()
    const [one, two] = await Promise.all([hasher.hash('same'), hasher.hash('same')])
    expect(one).toMatch(/^\$argon2id\$v=19\$/)
    expect(readCost(one)).toEqual(FLOOR)
    expect(one).not.toBe(two)
    // 16 bytes of salt and 32 of tag, in base64 without padding.
    expect(
      one
        .split('$')
        .slice(4)
        .map((part) => part.length),
    ).toEqual([22, 43])
  })

  test('reads the strings of both libraries, and refuses what is none', async () => {
    const hasher = create()
    const others = [await argon2Hasher().hash('leaf'), await nodeRsHasher().hash('leaf')]
    for (const hash of others) {
      expect(await hasher.verify(hash, 'leaf')).toBe(true)
      expect(await hasher.verify(hash, 'lead')).toBe(false)
    }
    expect(await hasher.verify('plain text', 'plain text')).toBe(false)
  })

  test('calls weaker strings outdated, whatever the order of their parameters', async () => {
    const hasher = create({ memoryKib: 19_456, passes: 3, parallelism: 1 })
    const weak = await argon2.hash('x', { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
    const reordered = weak.replace(/\$m=.*?\$/, '$t=3,p=1,m=19456$')
    expect([hasher.isOutdated(weak), hasher.isOutdated(reordered), hasher.isOutdated('?')]).toEqual([true, false, true])
  })

  test.each([
    { memoryKib: 19_455, passes: 2, parallelism: 1 },
    { memoryKib: 12_287, passes: 3, parallelism: 1 },
    { memoryKib: 47_103, passes: 1, parallelism: 1 },
    { memoryKib: 19_456, passes: 0, parallelism: 1 },
    { memoryKib: Number.NaN, passes: 2, parallelism: 1 },
  ])('refuses $memoryKib KiB with $passes passes', (cost) => {
    expect(() => create(cost)).toThrow(RangeError)
  })
})
