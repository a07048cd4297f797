import { sniff } from '@org/content-sniff'
import { createDeepDetector } from '@org/content-sniff/deep'
import { expect, test } from 'vitest'

const UNKNOWN = Buffer.from('00ff13374142ee0199', 'hex')
/** A GNU database: known to libmagic, to nothing here. */
const GDBM = Buffer.concat([Buffer.from('ce9a5713', 'hex'), Buffer.alloc(64, 0xfe)])

test('answers where nothing else does, and is silent where it knows nothing', async () => {
  await using deep = await createDeepDetector({ timeoutMs: 5000 })
  expect(await sniff(GDBM)).toMatchObject({ mime: 'application/octet-stream', source: 'none' })
  expect(await sniff(GDBM, { deep })).toMatchObject({
    mime: 'application/x-gdbm',
    source: 'deep',
    confidence: 'likely',
  })
  expect(await sniff(UNKNOWN, { deep })).toMatchObject({ mime: 'application/octet-stream', source: 'none' })
})

test('is never asked about text, nor believed about anything a browser runs', async () => {
  let asked = 0
  const deep = (): string => {
    asked += 1
    return 'text/html'
  }
  expect((await sniff(Buffer.from('plain words'), { deep })).mime).toBe('text/plain')
  expect(asked).toBe(0)
  expect((await sniff(UNKNOWN, { deep })).mime).toBe('application/octet-stream')
  expect(asked).toBe(1)
})

test('26: a slow answer is cut off, flagged, and does not stop the next one', async () => {
  await using deep = await createDeepDetector({ timeoutMs: 1 })
  // Repetitive white space in front of a NUL keeps libmagic busy for far longer than a millisecond.
  const slow = Buffer.concat([Buffer.alloc(60_000, '\n \t'), Buffer.from([0, 1, 2, 3])])
  await expect(deep(slow)).rejects.toThrow('within 1 ms')
  const { mime, flags } = await sniff(Buffer.concat([Buffer.from([0xfe, 0x01]), slow]), { deep })
  expect({ mime, flags }).toEqual({ mime: 'application/octet-stream', flags: ['DETECTOR_FAILED'] })
})

test('answers in the order of its questions', async () => {
  await using deep = await createDeepDetector({ timeoutMs: 5000 })
  const answers = await Promise.all(
    ['%PDF-1.4\n', 'GIF89a\x01\x00\x01\x00', '%PDF-1.7\n'].map(async (text) => deep(Buffer.from(text, 'latin1'))),
  )
  expect(answers).toEqual(['application/pdf', 'image/gif', 'application/pdf'])
})

test('refuses an impossible limit', async () => {
  await expect(createDeepDetector({ timeoutMs: 0 })).rejects.toThrow(RangeError)
})
