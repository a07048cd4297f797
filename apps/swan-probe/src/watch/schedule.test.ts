import { expect, test } from 'vitest'

import { type Clock, repeat } from './schedule.ts'

/** A clock whose waits take no time and move it on. */
function manualClock(random = 0.5): Clock & { time: number } {
  return {
    time: 0,
    now() {
      return this.time
    },
    random: () => random,
    wait(ms) {
      this.time += ms
      return Promise.resolve()
    },
  }
}

async function starts(options: { jitter: number; takesMs: number; random?: number; runs: number }): Promise<number[]> {
  const clock = manualClock(options.random)
  const stop = new AbortController()
  const found: number[] = []
  const task = () => {
    found.push(clock.time)
    clock.time += options.takesMs
    if (found.length === options.runs) stop.abort()
    return Promise.resolve()
  }
  await repeat(task, { periodMs: 1000, jitter: options.jitter, clock, signal: stop.signal })
  return found
}

test('starts at once, then once a period, measured from start to start', async () => {
  expect(await starts({ jitter: 0, takesMs: 300, runs: 4 })).toEqual([0, 1000, 2000, 3000])
})

test('a task that takes longer than its period misses starts and never overlaps itself', async () => {
  expect(await starts({ jitter: 0, takesMs: 2500, runs: 3 })).toEqual([0, 3000, 6000])
})

test('jitter moves the first start and each later one by at most its part of the period', async () => {
  expect(await starts({ jitter: 0.2, takesMs: 0, random: 0.999, runs: 3 })).toEqual(
    [199.8, 1299.6, 2399.4].map((value) => expect.closeTo(value, 1)),
  )
  expect(await starts({ jitter: 0.2, takesMs: 0, random: 0, runs: 3 })).toEqual([0, 900, 1800])
})

test('ends with its signal without another start', async () => {
  const stop = new AbortController()
  const clock: Clock = {
    now: () => 0,
    random: () => 0,
    wait: () => {
      stop.abort()
      return Promise.resolve()
    },
  }
  let runs = 0
  await repeat(() => Promise.resolve(void runs++), { periodMs: 1000, jitter: 0, clock, signal: stop.signal })
  expect(runs).toBe(0)
})

test('a clock that is set back delays the next start by one period at most', async () => {
  const clock = manualClock()
  const stop = new AbortController()
  const waits: number[] = []
  const wait = clock.wait.bind(clock)
  clock.wait = (ms, signal) => {
    waits.push(ms)
    return wait(ms, signal)
  }
  const task = () => {
    clock.time -= 3_600_000
    if (waits.length === 3) stop.abort()
    return Promise.resolve()
  }
  await repeat(task, { periodMs: 1000, jitter: 0, clock, signal: stop.signal })
  expect(waits).toEqual([0, 1000, 1000])
})
