import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import type { DeepDetector } from './options.ts'

export type { DeepDetector } from './options.ts'

/** Options of {@link createDeepDetector}. */
export interface DeepDetectorOptions {
  /**
   * Longest time for one answer, in milliseconds. The thread that takes longer is ended and replaced.
   * @default 100
   */
  readonly timeoutMs?: number
}

/** A detector with a thread of its own. */
export interface DisposableDeepDetector extends DeepDetector, AsyncDisposable {}

/** The thread's program; libmagic is loaded there, so that neither its memory nor its loops weigh on this thread. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
import(workerData.module).then(async ({ default: cjs, WASMagic = cjs.WASMagic }) => {
  const magic = await WASMagic.create()
  parentPort.on('message', (head) => parentPort.postMessage(magic.detect(head)))
  parentPort.postMessage('ready')
})
`

/**
 * Asks libmagic, compiled to WebAssembly (the optional peer `wasmagic`), about binary data that nothing else knows.
 *
 * Runs in a thread with a time limit, since hostile data can keep libmagic busy for a third of a second. Takes about
 * 46 MB of memory. Answers come one after the other.
 *
 * @throws RangeError when `timeoutMs` is not positive. Error of the module loader when `wasmagic` is not installed.
 * @example
 * await using deep = await createDeepDetector()
 * await sniff('unknown.dat', { deep })
 */
export async function createDeepDetector(options: DeepDetectorOptions = {}): Promise<DisposableDeepDetector> {
  const timeoutMs = options.timeoutMs ?? 100
  if (!(timeoutMs > 0)) throw new RangeError(`Expected \`timeoutMs\` to be above 0, got \`${timeoutMs}\``)
  let worker: Promise<Worker> | undefined = startWorker()
  await worker
  let queue: Promise<unknown> = Promise.resolve()
  let closed = false

  async function ask(head: Uint8Array): Promise<string | undefined> {
    if (closed) throw new Error('Expected an open detector, this one was disposed of')
    worker ??= startWorker()
    const thread = await worker
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => reject(new Error(`Expected an answer within ${timeoutMs} ms`)), timeoutMs)
    const died = (): void => reject(new Error('Expected an answer, the thread ended'))
    thread.once('message', resolve).once('exit', died)
    thread.postMessage(head)
    try {
      const answer = await promise
      return typeof answer === 'string' ? answer : undefined
    } catch (error) {
      worker = undefined
      await thread.terminate()
      throw error
    } finally {
      clearTimeout(timer)
      thread.off('message', resolve).off('exit', died)
    }
  }

  const detect = (head: Uint8Array): Promise<string | undefined> => {
    const answer = queue.then(() => ask(head))
    queue = answer.catch(() => undefined)
    return answer
  }
  return Object.assign(detect, {
    [Symbol.asyncDispose]: async () => {
      closed = true
      await queue
      await (await worker)?.terminate()
    },
  })
}

async function startWorker(): Promise<Worker> {
  const worker = new Worker(PROGRAM, { eval: true, workerData: { module: import.meta.resolve('wasmagic') } })
  // A detector that nobody disposes of must not keep the process alive.
  worker.unref()
  await once(worker, 'message')
  return worker
}
