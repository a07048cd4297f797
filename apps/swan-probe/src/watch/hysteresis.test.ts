import { expect, test } from 'vitest'

import { Hysteresis } from './hysteresis.ts'

const walk = (
  verdicts: string,
  thresholds: { failureThreshold: number; successThreshold: number },
  initial?: 'up' | 'down',
) => {
  const hysteresis = new Hysteresis(thresholds, initial)
  return Array.from(verdicts, (verdict) => {
    hysteresis.observe(verdict === '+')
    return { up: '+', down: '-', unknown: '?' }[hysteresis.state]
  }).join('')
}

test.each([
  ['+-+-', 1, 1, '+-+-'],
  ['+--+---+', 3, 1, '++++++-+'],
  ['--+-++', 2, 2, '?----+'],
  ['---', 3, 1, '??-'],
  ['+', 3, 1, '+'],
  ['-+-+-+', 2, 1, '?+++++'],
])('%s with %d failures and %d successes in a row is %s', (verdicts, failureThreshold, successThreshold, states) => {
  expect(walk(verdicts, { failureThreshold, successThreshold })).toBe(states)
})

test('starts where it is told', () => {
  expect(walk('--', { failureThreshold: 3, successThreshold: 1 }, 'up')).toBe('++')
  expect(walk('+', { failureThreshold: 3, successThreshold: 2 }, 'down')).toBe('-')
})

test('tells when it changes', () => {
  const hysteresis = new Hysteresis({ failureThreshold: 2, successThreshold: 1 })
  expect([true, true, false, false, false, true].map((success) => hysteresis.observe(success))).toEqual([
    true,
    false,
    false,
    true,
    false,
    true,
  ])
})
