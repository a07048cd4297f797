import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect, test } from 'vitest'

import { defineSignal, muted, record, type Receiver } from './index.ts'

/**
 * What Blinker (Python's signal library, the model of this one) does, sentence by sentence, and our answer: `kept`
 * where we do the same, `changed` where another way suits the language better, `fixed` where Blinker's way is a trap.
 */
const statements: [number: number, statement: string, answer: string, check: () => unknown][] = [
  [
    1,
    'one name is one signal',
    'changed: no global registry, the object is shared',
    () => {
      expect(defineSignal('a')).not.toBe(defineSignal('a'))
    },
  ],
  [
    2,
    'the same name in another namespace is another signal',
    'kept: each definition is its own',
    async () => {
      const [one, two] = [defineSignal<number>('a'), defineSignal<number>('a')]
      const heard = listen(one)
      await two.send(1)
      expect(heard).toEqual([])
    },
  ],
  [
    3,
    'anonymous signals never equal each other',
    'changed: a signal has a name',
    () => {
      expect(() => defineSignal('')).toThrow(TypeError)
    },
  ],
  [
    4,
    'a signal shows its name',
    'kept',
    () => {
      expect(String(defineSignal('order.paid'))).toBe('Signal(order.paid)')
    },
  ],
  [
    5,
    'a signal keeps a doc text',
    'kept',
    () => {
      expect(defineSignal('a', { doc: 'Sent when …' }).doc).toBe('Sent when …')
    },
  ],
  [
    6,
    'strings and numbers identify a sender by value, objects by identity',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const object = {}
      const heard = [listen(signal, { sender: 'x' }), listen(signal, { sender: 7 }), listen(signal, { sender: object })]
      for (const sender of ['x'.concat(''), 7, object, {}]) await signal.send(1, { sender })
      expect(heard).toEqual([[1], [1], [1]])
    },
  ],
  [
    7,
    'a bound method is recognised when it is read again',
    'changed: a receiver is the function object',
    async () => {
      const signal = defineSignal<number>('a')
      const counter = {
        count: 0,
        add() {
          this.count += 1
        },
      }
      const add = counter.add.bind(counter)
      signal.connect(add)
      signal.connect(add)
      await signal.send(1)
      expect(counter.count).toBe(1)
    },
  ],
  [
    8,
    'True and 1 are the same sender',
    'fixed: they differ',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal, { sender: 1 })
      await signal.send(1, { sender: true })
      expect(heard).toEqual([])
    },
  ],
  [
    9,
    'connect returns the receiver',
    'changed: it returns the subscription',
    () => {
      const subscription = defineSignal('a').connect(() => {})
      expect([subscription.active, typeof subscription[Symbol.dispose]]).toEqual([true, 'function'])
    },
  ],
  [
    10,
    'without a sender a receiver hears every sender',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal)
      await signal.send(1, { sender: 'x' })
      await signal.send(2)
      expect(heard).toEqual([1, 2])
    },
  ],
  [
    11,
    'with a sender it hears only that one',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal, { sender: 'x' })
      await signal.send(1, { sender: 'x' })
      await signal.send(2, { sender: 'y' })
      await signal.send(3)
      expect(heard).toEqual([1])
    },
  ],
  [
    12,
    'several connects add senders',
    'kept',
    async () => {
      const { signal, receiver, heard } = one()
      signal.connect(receiver, { sender: 'x' })
      signal.connect(receiver, { sender: 'y' })
      for (const [index, sender] of ['x', 'y', 'z'].entries()) await signal.send(index, { sender })
      expect(heard).toEqual([0, 1])
    },
  ],
  [
    13,
    'connected to any and to the sender, it is called once',
    'kept',
    async () => {
      const { signal, receiver, heard } = one()
      signal.connect(receiver)
      signal.connect(receiver, { sender: 'x' })
      await signal.send(1, { sender: 'x' })
      expect(heard).toEqual([1])
    },
  ],
  [
    14,
    'connecting twice calls once; the last choice wins',
    'kept',
    async () => {
      const { signal, receiver, heard } = one()
      signal.connect(receiver, { once: true })
      signal.connect(receiver)
      await signal.send(1)
      await signal.send(2)
      expect(heard).toEqual([1, 2])
    },
  ],
  [
    15,
    'connect is weak by default, so a lambda is gone at once',
    'fixed: strong by default',
    async () => {
      const signal = defineSignal<number>('a')
      const heard: number[] = []
      signal.connect((value) => heard.push(value))
      collectGarbage()
      await signal.send(1)
      expect(heard).toEqual([1])
    },
  ],
  [
    16,
    'connect_via a sender is strong by default',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const heard: number[] = []
      signal.connect((value) => heard.push(value), { sender: 'x' })
      collectGarbage()
      await signal.send(1, { sender: 'x' })
      expect(heard).toEqual([1])
    },
  ],
  [
    17,
    "a weak sender's subscriptions vanish with it",
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      ;(() => signal.connect(() => {}, { sender: { big: true } }))()
      expect(await gone(() => signal.receivers({}).length === 0 && !signal.hasReceivers())).toBe(true)
    },
  ],
  [
    18,
    'a sender that cannot be held weakly is accepted',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const senders = [null, 1n, Symbol.for('s'), '', 0, NaN]
      const heard = senders.map((sender) => listen(signal, { sender }))
      for (const sender of senders) await signal.send(1, { sender })
      expect(heard).toEqual(senders.map(() => [1]))
    },
  ],
  [
    19,
    'connected_to subscribes for a block and ends on any exit',
    'kept: `using`',
    async () => {
      const { signal, receiver, heard } = one()
      const block = async () => {
        using _ = signal.connect(receiver)
        await signal.send(1)
        throw new Error('exit')
      }
      await expect(block()).rejects.toThrow('exit')
      await signal.send(2)
      expect(heard).toEqual([1])
    },
  ],
  [
    20,
    'connects and disconnects are announced with their arguments',
    'kept',
    () => {
      const { signal, receiver } = one()
      const changes: unknown[] = []
      using _ = signal.onSubscription(({ type, sender }) => changes.push([type, sender]))
      signal.connect(receiver, { sender: 'x' })
      signal.disconnect(receiver)
      expect(changes).toEqual([
        ['connected', 'x'],
        ['disconnected', 'x'],
      ])
    },
  ],
  [
    21,
    'automatic disconnects are not announced',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const changes: string[] = []
      using _ = signal.onSubscription(({ type }) => changes.push(type))
      ;(() => signal.connect(() => {}, { weak: {} }))()
      await gone(() => !signal.hasReceivers())
      expect(changes).toEqual(['connected'])
    },
  ],
  [
    22,
    'an error in a connect announcement undoes the connect',
    'kept',
    () => {
      const { signal, receiver } = one()
      using _ = signal.onSubscription(() => {
        throw new Error('no')
      })
      expect(() => signal.connect(receiver)).toThrow('no')
      expect(signal.hasReceivers()).toBe(false)
    },
  ],
  [
    23,
    'the sender is optional',
    'kept',
    async () => {
      const signal = defineSignal<number, string>('a')
      const senders: unknown[] = []
      signal.connect((_value, { sender }) => senders.push(sender))
      await signal.send(1)
      await signal.send(1, { sender: 'x' })
      expect(senders).toEqual([undefined, 'x'])
    },
  ],
  [
    24,
    'the result is a list of receivers and values',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const double: Receiver<number> = (value) => value * 2
      signal.connect(double)
      expect(await signal.send(2)).toEqual([{ receiver: double, status: 'fulfilled', value: 4 }])
    },
  ],
  [
    25,
    'without receivers the list is empty',
    'kept',
    async () => {
      expect(await defineSignal<number>('a').send(1)).toEqual([])
    },
  ],
  [
    26,
    'the order is undefined',
    'fixed: the order of subscription',
    async () => {
      const signal = defineSignal<number>('a')
      const order: number[] = []
      for (let index = 0; index < 50; index += 1) signal.connect(() => order.push(index))
      await signal.send(1)
      expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
    },
  ],
  [
    27,
    'connected during a send: not called; disconnected during a send: skipped',
    'kept',
    async () => {
      const { signal, receiver, heard } = one()
      const late: number[] = []
      signal.connect(() => {
        signal.disconnect(receiver)
        signal.connect((value) => late.push(value))
      })
      signal.connect(receiver)
      await signal.send(1)
      expect([heard, late]).toEqual([[], []])
    },
  ],
  [
    28,
    'the first error stops the rest and reaches the sender',
    'fixed: all run, each is reported',
    async () => {
      const reported: unknown[] = []
      const signal = defineSignal<number>('a', { onError: (error) => reported.push(error) })
      signal.connect(() => fail('first'))
      const heard = listen(signal)
      signal.connect(async () => fail('third'))
      const results = await signal.send(1)
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected'])
      expect([heard, reported]).toEqual([[1], [new Error('first'), new Error('third')]])
    },
  ],
  [
    29,
    'a coroutine receiver makes a plain send raise',
    'fixed: receivers may be either',
    async () => {
      const signal = defineSignal<number>('a')
      signal.connect(() => Promise.resolve('later'))
      signal.connect(() => 'now')
      expect((await signal.send(1)).map((result) => 'value' in result && result.value)).toEqual(['later', 'now'])
    },
  ],
  [
    30,
    'a sync receiver makes an async send raise',
    'fixed: there is one send',
    async () => {
      const signal = defineSignal<number>('a')
      signal.connect(() => 'now')
      expect(await signal.send(1)).toMatchObject([{ value: 'now' }])
    },
  ],
  [
    31,
    'async receivers run one after another',
    'kept, unless `concurrency` says otherwise',
    async () => {
      for (const [concurrency, most] of [
        [undefined, 1],
        [2, 2],
      ] as const) {
        const signal = defineSignal<number>('a', concurrency === undefined ? {} : { concurrency })
        let [running, seen] = [0, 0]
        for (let index = 0; index < 4; index += 1) {
          signal.connect(async () => {
            running += 1
            seen = Math.max(seen, running)
            await new Promise(setImmediate)
            running -= 1
          })
        }
        await signal.send(1)
        expect(seen).toBe(most)
      }
    },
  ],
  [
    32,
    'whether anybody listens is public',
    'kept',
    () => {
      const { signal, receiver } = one()
      expect(signal.hasReceivers()).toBe(false)
      signal.connect(receiver)
      expect(signal.hasReceivers()).toBe(true)
    },
  ],
  [
    33,
    'has_receivers_for counts the dead',
    'fixed: it is exact',
    async () => {
      const signal = defineSignal<number>('a')
      ;(() => signal.connect(() => {}, { weak: {} }))()
      expect(await gone(() => !signal.hasReceivers())).toBe(true)
    },
  ],
  [
    34,
    'receivers_for yields the living',
    'kept',
    () => {
      const { signal, receiver } = one()
      signal.connect(receiver, { sender: 'x' })
      expect([signal.receivers('x'), signal.receivers('y')]).toEqual([[receiver], []])
    },
  ],
  [
    35,
    'disconnect drops all senders of a receiver',
    'kept',
    async () => {
      const { signal, receiver, heard } = one()
      signal.connect(receiver)
      signal.connect(receiver, { sender: 'x' })
      expect(signal.disconnect(receiver)).toBe(2)
      await signal.send(1, { sender: 'x' })
      expect(heard).toEqual([])
    },
  ],
  [
    36,
    'disconnecting an unknown receiver raises nothing',
    'kept',
    () => {
      expect(defineSignal('a').disconnect(() => {})).toBe(0)
    },
  ],
  [
    37,
    'disconnecting one sender leaves a subscription to any',
    'kept',
    async () => {
      const { signal, receiver, heard } = one()
      signal.connect(receiver)
      signal.connect(receiver, { sender: 'x' })
      expect(signal.disconnect(receiver, { sender: 'x' })).toBe(1)
      await signal.send(1, { sender: 'x' })
      expect(heard).toEqual([1])
    },
  ],
  [
    38,
    'muted sends return an empty list',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal)
      expect(await muted([signal], () => signal.send(1))).toEqual([])
      await signal.send(2)
      expect(heard).toEqual([2])
    },
  ],
  [
    39,
    'a reset for tests clears everything',
    'kept',
    () => {
      const { signal, receiver } = one()
      const subscription = signal.connect(receiver)
      signal.clear()
      expect([signal.hasReceivers(), subscription.active]).toEqual([false, false])
    },
  ],
  [
    40,
    "leaving a block removes all of the receiver's subscriptions",
    'fixed: exactly its own',
    async () => {
      const { signal, receiver, heard } = one()
      signal.connect(receiver)
      signal.connect(receiver, { sender: 'x' })[Symbol.dispose]()
      await signal.send(1)
      expect(heard).toEqual([1])
    },
  ],
  [
    41,
    'the inner of two muted blocks unmutes the outer',
    'fixed',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal)
      await muted([signal], async () => {
        await muted([signal], () => signal.send(1))
        await signal.send(2)
      })
      expect(heard).toEqual([])
    },
  ],
  [
    42,
    'muting swallows the sends of concurrent tasks',
    'fixed: it is scoped',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal)
      const gate = Promise.withResolvers<void>()
      const quiet = muted([signal], async () => {
        await gate.promise
        return signal.send(1)
      })
      await signal.send(2)
      gate.resolve()
      await quiet
      expect(heard).toEqual([2])
    },
  ],
  [
    43,
    'sender 0 collides with any',
    'fixed',
    async () => {
      const signal = defineSignal<number>('a')
      const heard = listen(signal, { sender: 0 })
      await signal.send(1, { sender: 'x' })
      await signal.send(2, { sender: 0 })
      expect(heard).toEqual([2])
    },
  ],
  [
    44,
    'after a disconnect the signal still claims receivers for that sender',
    'fixed',
    () => {
      const { signal, receiver } = one()
      signal.connect(receiver, { sender: 'x' })
      signal.disconnect(receiver, { sender: 'x' })
      expect(signal.hasReceivers('x')).toBe(false)
    },
  ],
  [
    45,
    "a data key that is the receiver's parameter name collides",
    'fixed: the payload is one object',
    async () => {
      const signal = defineSignal<{ sender: string; payload: string }>('a')
      const heard: unknown[] = []
      signal.connect((payload) => heard.push(payload))
      await signal.send({ sender: 's', payload: 'p' })
      expect(heard).toEqual([{ sender: 's', payload: 'p' }])
    },
  ],
  [
    46,
    'a proxy as sender has an identity of its own',
    'kept',
    async () => {
      const signal = defineSignal<number>('a')
      const sender = {}
      const heard = listen(signal, { sender })
      await signal.send(1, { sender: new Proxy(sender, {}) })
      expect(heard).toEqual([])
    },
  ],
]

test.each(statements)('%i: %s (%s)', async (_number, _statement, _answer, check) => {
  await check()
})

test('all 46 statements are here', () => {
  expect(statements.map(([number]) => number)).toEqual(Array.from({ length: 46 }, (_, index) => index + 1))
})

test('a sync signal lets receivers veto, after all were called', async () => {
  const signal = defineSignal<number>('a', { delivery: 'sync' })
  signal.connect(() => fail('no'))
  const heard = listen(signal)
  await expect(signal.send(1)).rejects.toMatchObject({
    name: 'SignalVetoError',
    errors: [new Error('no')],
    results: [{ status: 'rejected' }, { status: 'fulfilled' }],
  })
  expect(heard).toEqual([1])
})

test('a recorded signal collects payloads instead of delivering them', async () => {
  const signal = defineSignal<number>('a')
  const heard = listen(signal)
  const { result, sent } = await record(signal, async () => {
    await signal.send(1)
    await muted([signal], () => signal.send(2))
    await signal.send(3)
    return 'done'
  })
  expect([result, sent, heard]).toEqual(['done', [1, 3], []])
})

test('refuses a payload that does not fit, and calls nobody', async () => {
  const schema = {
    '~standard': { version: 1, vendor: 'tests', validate: () => ({ issues: [{ message: 'bad', path: ['id'] }] }) },
  } as const
  const signal = defineSignal<number>('a', { schema })
  const heard = listen(signal)
  await expect(signal.send(1)).rejects.toMatchObject({ code: 'TASK_SIGNAL_INVALID', message: /id: bad/ })
  expect(heard).toEqual([])
})

test('gives up on a receiver that takes too long, and aborts it', async () => {
  const signal = defineSignal<number>('a', { timeoutMs: 10, onError: () => {} })
  let aborted = false
  signal.connect((_value, details) => {
    details.signal?.addEventListener('abort', () => (aborted = true))
    return new Promise(() => {})
  })
  expect(await signal.send(1)).toMatchObject([{ status: 'rejected', reason: { code: 'TASK_TIMEOUT' } }])
  expect(aborted).toBe(true)
})

test('ends a subscription on abort, and a `once` one after its first call', async () => {
  const signal = defineSignal<number>('a')
  const abort = new AbortController()
  const heard = [listen(signal, { signal: abort.signal }), listen(signal, { once: true })]
  await signal.send(1)
  abort.abort()
  await signal.send(2)
  expect([heard, signal.hasReceivers()]).toEqual([[[1], [1]], false])
})

test('undefined signals cannot be muted', () => {
  expect(() => muted([undefined as never], () => {})).toThrow(TypeError)
})

function listen(signal: ReturnType<typeof defineSignal<number>>, options?: Parameters<typeof signal.connect>[1]) {
  const heard: number[] = []
  signal.connect((value) => void heard.push(value), options)
  return heard
}

function one() {
  const heard: number[] = []
  const receiver: Receiver<number> = (value) => void heard.push(value)
  return { signal: defineSignal<number>('a'), receiver, heard }
}

function fail(message: string): never {
  throw new Error(message)
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Weak references are kept until the end of the current turn, and may outlive one collection. */
async function gone(check: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 50 && !check(); turn += 1) {
    await new Promise(setImmediate)
    collectGarbage()
  }
  return check()
}
