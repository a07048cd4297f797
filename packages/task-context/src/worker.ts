import { runDetached } from './context/scope.ts'
import type { Driver, DriverWorker } from './drivers/driver.ts'
import { TaskError } from './errors.ts'
import type { createRelay } from './outbox/relay.ts'
import { positiveInteger } from './jobs/numbers.ts'
import { type AnyHandler, runJob, type RunnerParts } from './runner.ts'
import type { Handler, TaskWorker, WorkerOptions } from './tasks-types.ts'

/** Starts one consumer per queue that the handlers name. */
export function startWorker(start: {
  readonly driver: Driver
  readonly parts: RunnerParts
  readonly relay: ReturnType<typeof createRelay> | undefined
  readonly handlers: readonly Handler[]
  readonly options: WorkerOptions
}): TaskWorker {
  const { driver, parts, relay, options } = start
  const { concurrency = 1, drainMs = 10_000, limiter, closeOn = [] } = options
  positiveInteger('concurrency', concurrency)
  if (!(drainMs >= 0)) throw new RangeError(`Expected \`drainMs\` to be 0 or more, got \`${drainMs}\``)
  const queues = byQueue(start.handlers)
  // Out of any request: the loops below would run every later job in that request's storage.
  const workers: DriverWorker[] = runDetached(() =>
    [...queues].map(([queue, handlers]) =>
      driver.work(queue, (run) => runJob(parts, handlers, run), {
        concurrency,
        drainMs,
        onError: parts.onError,
        ...(limiter !== undefined && { limiter }),
      }),
    ),
  )
  // Before the first job asks for them: a process that only enqueues may wait for these tables, too.
  const prepared =
    parts.database === undefined ? Promise.resolve() : runDetached(() => parts.prepare().catch(parts.onError))
  if (options.relay !== false) void prepared.then(() => relay?.start())

  const [anyQueue] = queues.keys()
  if (anyQueue !== undefined) runDetached(() => void warn(driver, anyQueue, parts))

  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= Promise.all(workers.map((worker) => worker.close())).then(() => {
      for (const name of closeOn) process.off(name, onSignal)
    })
    return closing
  }
  const onSignal = () => void close().catch(parts.onError)
  for (const name of closeOn) process.on(name, onSignal)

  return {
    async ready() {
      await prepared
      await Promise.all(workers.map((worker) => worker.ready()))
    },
    cancel(id) {
      const reason = new TaskError('TASK_CANCELLED', `Job \`${id}\` was cancelled`)
      return workers.some((worker) => worker.cancel(id, reason))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Says what is set up so that jobs get lost one day. */
async function warn(driver: Driver, queue: string, { logger }: RunnerParts): Promise<void> {
  try {
    const warnings = (await driver.inspect?.(queue)) ?? []
    for (const { code, message } of warnings) logger({ driver: driver.name }).warn({ code }, message)
  } catch {
    // A server that cannot be asked now cannot give jobs either: the worker's own connection tells of it.
  }
}

/** Handlers of one queue by name of their job. */
export function byQueue(handlers: readonly Handler[]): Map<string, Map<string, AnyHandler>> {
  const queues = new Map<string, Map<string, AnyHandler>>()
  for (const handler of handlers as readonly unknown[] as readonly AnyHandler[]) {
    const { queue, name } = handler.job
    const known = queues.get(queue) ?? new Map<string, AnyHandler>()
    if (known.has(name)) throw new TypeError(`Expected one handler for job \`${name}\` of queue \`${queue}\`, got two`)
    queues.set(queue, known.set(name, handler))
  }
  return queues
}
