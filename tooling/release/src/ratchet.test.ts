import { expect, test } from 'vitest'

import { fallen, figuresOf, raised } from './ratchet.ts'

test('adds up the lines of each package, and of no other', () => {
  const lines = (covered: number, total: number) => ({ lines: { covered, total } })
  const summary = {
    total: lines(99, 99),
    '/r/packages/a/src/x.ts': lines(3, 4),
    '/r/packages/ab/src/y.ts': lines(0, 9),
  }
  expect(figuresOf(summary, new Map([['@org/a', '/r/packages/a']]))).toEqual({ '@org/a': 75 })
})

test('a figure that falls is refused, a tremble is not', () => {
  expect(fallen({ '@org/a': 90 }, { '@org/a': 89.6 })).toEqual([])
  expect(fallen({ '@org/a': 90 }, { '@org/a': 89.4 })).toEqual([
    '@org/a: 89.4 % of its lines are covered, it was 90 %. Test what the change added.',
  ])
  expect(fallen({ '@org/a': 90 }, {})).toHaveLength(1)
})

test('what was reached is kept', () => {
  expect(raised({ '@org/a': 90, '@org/b': 80 }, { '@org/a': 89.8, '@org/b': 85, '@org/c': 10 })).toEqual({
    '@org/a': 90,
    '@org/b': 85,
    '@org/c': 10,
  })
})
