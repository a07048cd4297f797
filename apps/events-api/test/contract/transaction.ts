import type { Person, World } from '../support/world.ts'

/** One request of the contract run and what must come back. */
export interface Transaction {
  /** As Dredd names it, with the status for all but the example: `Events > Events Details > Event Details > 404`. */
  readonly name: string
  readonly operationId: string
  readonly method: string
  /** Path template of the description. */
  readonly path: string
  readonly status: number
  /** Hooks may change it. */
  readonly request: {
    path: string
    query: string
    as: Person | undefined
    headers: Record<string, string>
    body: unknown
  }
  /** Set by a hook to leave the case out; the run then fails for want of coverage unless another case covers it. */
  skip?: string
}

type Hook = (transaction: Transaction, world: World) => void | Promise<void>

/** Dredd's hook points, in the order of one transaction: each `All` once a run, each `Each` for all transactions. */
const points = [
  'beforeAll',
  'beforeEach',
  'before',
  'beforeEachValidation',
  'beforeValidation',
  'after',
  'afterEach',
  'afterAll',
] as const

type Point = (typeof points)[number]

/**
 * Hooks by point; those of `before`, `beforeValidation` and `after` belong to transactions by name.
 *
 * @see https://dredd.org/en/latest/hooks/
 */
export interface Hooks {
  readonly beforeAll: (hook: () => void | Promise<void>) => void
  readonly beforeEach: (hook: Hook) => void
  readonly before: (name: string | RegExp, hook: Hook) => void
  readonly beforeEachValidation: (hook: Hook) => void
  readonly beforeValidation: (name: string | RegExp, hook: Hook) => void
  readonly after: (name: string | RegExp, hook: Hook) => void
  readonly afterEach: (hook: Hook) => void
  readonly afterAll: (hook: () => void | Promise<void>) => void
  /** Runs what is registered at a point. Named hooks that match nothing in a whole run are mistakes; see `unused`. */
  readonly run: (point: Point, transaction?: Transaction, world?: World) => Promise<void>
  /** Names that no transaction had. */
  readonly unused: () => string[]
}

/** Makes an empty set of hooks. */
export function createHooks(): Hooks {
  const registered: {
    readonly point: Point
    readonly name: string | RegExp | undefined
    readonly hook: Hook
    used: boolean
  }[] = []
  const every = (point: Point) => (hook: Hook | (() => void | Promise<void>)) =>
    void registered.push({ point, name: undefined, hook: hook as Hook, used: true })
  const named = (point: Point) => (name: string | RegExp, hook: Hook) =>
    void registered.push({ point, name, hook, used: false })
  return {
    beforeAll: every('beforeAll'),
    beforeEach: every('beforeEach'),
    before: named('before'),
    beforeEachValidation: every('beforeEachValidation'),
    beforeValidation: named('beforeValidation'),
    after: named('after'),
    afterEach: every('afterEach'),
    afterAll: every('afterAll'),
    async run(point, transaction, world) {
      for (const one of registered) {
        if (one.point !== point) continue
        const { name } = one
        if (name !== undefined) {
          const full = transaction?.name ?? ''
          if (typeof name === 'string' ? name !== full : !name.test(full)) continue
          one.used = true
        }
        await one.hook(transaction as Transaction, world as World)
      }
    },
    unused: () => registered.filter((one) => !one.used).map(({ name }) => String(name)),
  }
}
