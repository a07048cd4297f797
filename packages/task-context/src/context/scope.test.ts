import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { readFile, stat } from 'node:fs'
import { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'

import { describe, expect, test } from 'vitest'

import { bind, context, createTasks, tryContext } from '../index.ts'
import { memoryDriver } from '../memory.ts'

const tasks = createTasks({ driver: memoryDriver() })
const inA = <T>(fn: () => T) => tasks.runInContext({ requestId: 'A' }, fn)
const here = () => tryContext()?.requestId
const callback = (start: (done: () => void) => void) =>
  new Promise<string | undefined>((resolve) => start(() => resolve(here())))

describe('a context survives', () => {
  test.each<[string, () => Promise<string | undefined> | string | undefined]>([
    ['a plain call', here],
    ['an await', async () => (await Promise.resolve(), here())],
    ['a timer', () => callback((done) => setTimeout(done, 1))],
    ['a microtask', () => callback(queueMicrotask)],
    ['the next tick', () => callback((done) => process.nextTick(done))],
    ['an immediate', () => callback((done) => setImmediate(done))],
    ['a file callback', () => callback((done) => stat('.', done))],
    ['a second file callback', () => callback((done) => readFile(import.meta.filename, done))],
    ['a child process callback', () => callback((done) => execFile(process.execPath, ['--version'], done))],
    ['a thenable', async () => (await thenable, here())],
    [
      'for await',
      async () => {
        for await (const _ of Readable.from([1, 2])) if (here() !== 'A') return 'lost'
        return here()
      },
    ],
    ['a stream listener', () => callback((done) => Readable.from([1]).on('data', done))],
    ['Promise.all', async () => (await Promise.all([Promise.resolve(1), Promise.resolve(2)]), here())],
    ['a promise that somebody else resolves', async () => (await outside, here())],
  ])('%s', async (_name, read) => {
    expect(await inA(read)).toBe('A')
  })
})

// oxlint-disable-next-line unicorn/no-thenable -- foreign promises are the case under test
const thenable = { then: (ok: (value: unknown) => void) => ok(1) }

const outside = new Promise((resolve) => setTimeout(resolve, 5))

describe('a context does not survive, and `bind` repairs', () => {
  test('an emitter that somebody else makes emit', () => {
    const emitter = new EventEmitter()
    const seen: unknown[] = []
    inA(() => {
      emitter.on('event', () => seen.push(here()))
      emitter.on(
        'event',
        bind(() => seen.push(here())),
      )
    })
    tasks.runInContext({ requestId: 'B' }, () => emitter.emit('event'))
    expect(seen).toEqual(['B', 'A'])
  })

  test('a generator that somebody else resumes', () => {
    function* read() {
      for (;;) yield here()
    }
    const generator = inA(read)
    const bound = inA(() => bind(() => here()))
    expect([tasks.runInContext({ requestId: 'B' }, () => generator.next().value), bound()]).toEqual(['B', 'A'])
  })

  test('a worker thread', async () => {
    const source = `const { parentPort } = require('node:worker_threads'); parentPort.postMessage('plain data only')`
    const answer = await inA(
      () =>
        new Promise((resolve) => new Worker(source, { eval: true }).on('message', (text) => resolve([text, here()]))),
    )
    expect(answer).toEqual(['plain data only', expect.toSatisfy((id) => id === 'A' || id === undefined)])
  })
})

test('reading a context outside of one fails with a code, never with an old one', async () => {
  expect(() => context()).toThrow(expect.objectContaining({ code: 'TASK_NO_CONTEXT' }))
  inA(() => {})
  expect(() => context()).toThrow(expect.objectContaining({ code: 'TASK_NO_CONTEXT' }))
})

test('a context inside another one is its own, frozen, and has nothing of an ordinary object', () => {
  inA(() => {
    const outer = context()
    const inner = tasks.runInContext({ actor: 'user:1' }, context)
    expect([inner.requestId === 'A', inner.actor, outer.actor, context() === outer]).toEqual([
      false,
      'user:1',
      undefined,
      true,
    ])
    const kind: object = Object.getPrototypeOf(inner)
    expect([Object.isFrozen(inner), Object.isFrozen(kind), Object.getPrototypeOf(kind)]).toEqual([true, true, null])
    expect(['constructor', 'toString', '__proto__'].filter((name) => name in inner)).toEqual([])
  })
})

test('leaves other storages as it found them', () => {
  const foreign = new AsyncLocalStorage<string>()
  foreign.run('kept', () => inA(() => expect(foreign.getStore()).toBe('kept')))
})
