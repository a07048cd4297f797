import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { parseConfig } from '../config/load.ts'
import { ProbeError } from '../errors.ts'
import { failedResult } from '../runner/failed-result.ts'
import { Progress } from './progress.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => vi.useRealTimers())

const { entries } = parseConfig(
  'test.yaml',
  `tests:
  storage:
    exists: {filePath: /a, timeout: 5}
    delete: {filePath: /b, timeout: 60}
    mount: {mode: host}`,
  { base: '/', userPath: undefined, env: {} },
)

function watch(signal: AbortSignal = new AbortController().signal) {
  const onSilence = vi.fn<() => void>()
  return { onSilence, progress: new Progress(entries, { signal, onSilence }) }
}

const verdicts = (progress: Progress) => progress.giveUp().results.map(({ status, code }) => `${status} ${code}`)

test('a run that does not begin is given up after a quarter of a minute', () => {
  const { onSilence, progress } = watch()
  vi.advanceTimersByTime(14_900)
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(200)
  expect(onSilence).toHaveBeenCalledOnce()
  expect(() => progress.giveUp()).toThrow(expect.objectContaining({ code: 'PROBE_TIMEOUT' }))
})

test('the longest limit of what runs decides, and what had its verdict keeps it', () => {
  const { onSilence, progress } = watch()
  progress.started('storage.exists')
  progress.started('storage.delete')
  vi.advanceTimersByTime(30_000)
  // Said again, it buys no time.
  expect(progress.started('storage.delete')).toBe(false)
  progress.finished(failedResult(entries[0]!, new ProbeError('PROBE_FILE', 'gone'), 'fail'))
  vi.advanceTimersByTime(30_500)
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(500)
  expect(onSilence).toHaveBeenCalledOnce()
  expect(verdicts(progress)).toEqual(['fail PROBE_FILE', 'fail PROBE_TIMEOUT', 'skipped PROBE_NEEDS'])
})

test('an interrupt leaves ten seconds for the last words, whatever the limits', () => {
  const stop = new AbortController()
  const { onSilence, progress } = watch(stop.signal)
  progress.started('storage.delete')
  stop.abort(new ProbeError('PROBE_CANCELLED', 'ended'))
  vi.advanceTimersByTime(9900)
  progress.started('storage.exists')
  expect(onSilence).not.toHaveBeenCalled()
  vi.advanceTimersByTime(200)
  expect(onSilence).toHaveBeenCalledOnce()
  expect(verdicts(progress)).toEqual(['error PROBE_CANCELLED', 'error PROBE_CANCELLED', 'skipped PROBE_NEEDS'])
})

test('once it is over nothing is waited for', () => {
  const { onSilence, progress } = watch()
  progress.stop()
  progress.finished(failedResult(entries[0]!, new ProbeError('PROBE_FILE', 'gone'), 'fail'))
  expect(vi.getTimerCount()).toBe(0)
  expect(onSilence).not.toHaveBeenCalled()
})
