import { afterEach, expect, test, vi } from 'vitest'

import { createPatience } from './patience.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('gives up on each answer in its own time, and on no other', async () => {
  vi.useFakeTimers()
  const patience = createPatience(100)
  const settled: string[] = []
  const note = (name: string, answer: Promise<string>) =>
    patience
      .within(answer, () => new Error(`${name} is late`))
      .then(
        (value) => settled.push(value),
        (error: Error) => settled.push(error.message),
      )
  const never = new Promise<string>(() => {})
  void note('first', never)
  await vi.advanceTimersByTimeAsync(60)
  void note('second', never)
  void note('third', Promise.resolve('third answers'))
  void note('fourth', Promise.reject(new Error('fourth fails')))
  await vi.advanceTimersByTimeAsync(50)
  expect(settled).toEqual(['third answers', 'fourth fails', 'first is late'])
  await vi.advanceTimersByTimeAsync(50)
  expect(settled.at(-1)).toBe('second is late')
})
