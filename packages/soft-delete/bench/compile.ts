import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely'

import { defineSoftDelete, softDeletePlugin } from '../src/index.ts'
import type { Tables } from './tables.ts'
import { low } from './timing.ts'

const trash = defineSoftDelete({ tables: { events: true, sessions: true, rooms: true, talks: true } })

const dialect = {
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (db: Kysely<never>) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
}

/** Copies every tree and changes nothing: what a plugin costs that is made with Kysely's own transformer. */
class Copying implements KyselyPlugin {
  readonly #transformer = new OperationNodeTransformer()

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node, queryId)
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result)
  }
}

const open = (...plugins: KyselyPlugin[]): Kysely<Tables> => new Kysely<Tables>({ dialect, plugins })

/** Builds one query; by hand with the predicates that a plugin would add. */
export type Shape = (
  db: Kysely<Tables>,
  byHand: boolean,
) => { compile(): { sql: string }; execute(): Promise<object[]> }

export const SHAPES: Record<string, Shape> = {
  'one table, one condition': (db, byHand) => {
    const query = db.selectFrom('events').select('id').where('owner_id', '=', 1)
    return byHand ? query.where('events.deleted_at', 'is', null) : query
  },
  '3 joins': (db, byHand) => {
    const query = db
      .selectFrom('events as e')
      .innerJoin('sessions as s', 's.event_id', 'e.id')
      .leftJoin('rooms as r', (join) => {
        const on = join.onRef('r.session_id', '=', 's.id')
        return byHand ? on.on('r.deleted_at', 'is', null) : on
      })
      .leftJoin('talks as t', (join) => {
        const on = join.onRef('t.room_id', '=', 'r.id')
        return byHand ? on.on('t.deleted_at', 'is', null) : on
      })
      .select(['e.id', 's.title', 'r.id as room', 't.id as talk'])
      .where('e.owner_id', '=', 1)
    return byHand ? query.where('e.deleted_at', 'is', null).where('s.deleted_at', 'is', null) : query
  },
  'CTE and EXISTS': (db, byHand) =>
    db
      .with('mine', (q) => {
        const query = q.selectFrom('events').select(['id', 'title']).where('owner_id', '=', 1)
        return byHand ? query.where('events.deleted_at', 'is', null) : query
      })
      .selectFrom('mine')
      .select(['mine.id', 'mine.title'])
      .where((eb) => {
        const query = eb.selectFrom('sessions').select('sessions.id').whereRef('sessions.event_id', '=', 'mine.id')
        return eb.exists(byHand ? query.where('sessions.deleted_at', 'is', null) : query)
      }),
  'no soft-deletable table': (db) => db.selectFrom('people').select(['id', 'name']).where('name', '=', 'ada'),
}

interface Variant {
  readonly name: string
  readonly db: Kysely<Tables>
  readonly byHand: boolean
}

const VARIANTS: readonly Variant[] = [
  { name: 'no predicate', db: open(), byHand: false },
  { name: 'by hand', db: open(), byHand: true },
  { name: 'floor: by hand, tree copied', db: open(new Copying()), byHand: true },
  { name: 'CamelCasePlugin, by hand', db: open(new CamelCasePlugin()), byHand: true },
  { name: '@org/soft-delete', db: open(softDeletePlugin(trash)), byHand: false },
]

const BATCH = 500

/** User time of one batch, in microseconds per query. */
function batch({ db, byHand }: Variant, shape: Shape): number {
  const start = process.cpuUsage()
  for (let turn = 0; turn < BATCH; turn++) shape(db, byHand).compile()
  return process.cpuUsage(start).user / BATCH
}

/** Microseconds to build and compile, per shape and variant. Variants take turns, so that a noisy spell hits all. */
export function compileTimes(rounds: number): Record<string, Record<string, number>> {
  const table: Record<string, Record<string, number>> = {}
  for (const [name, shape] of Object.entries(SHAPES)) {
    const times = new Map(VARIANTS.map((variant) => [variant, [] as number[]]))
    for (const variant of VARIANTS) for (let warm = 0; warm < 4; warm++) batch(variant, shape)
    for (let round = 0; round < rounds; round++) {
      for (const variant of VARIANTS) times.get(variant)!.push(batch(variant, shape))
    }
    table[name] = Object.fromEntries([...times].map(([variant, all]) => [variant.name, low(all)]))
  }
  return table
}

/** Bytes that `count` compiled queries leave behind, with aliases that are made up as they come. */
export function retainedBytes(collect: () => void, count: number): number {
  const db = open(softDeletePlugin(trash))
  const compileMany = (queries: number): void => {
    for (let turn = 0; turn < queries; turn++) {
      const alias = `e${turn % 100_000}` as 'e'
      db.selectFrom(`events as ${alias}`).select(`${alias}.id`).compile()
    }
  }
  compileMany(10_000)
  collect()
  const before = process.memoryUsage().heapUsed
  compileMany(count)
  collect()
  return process.memoryUsage().heapUsed - before
}
