import type {} from '@org/services'
import type { KyselyPlugin, OperationNode, RootOperationNode } from 'kysely'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'

import type * as Place from '../src/placement/place.ts'
import type * as Predicate from '../src/placement/predicate.ts'
import type * as References from '../src/placement/reference.ts'
import { openPostgres, openSqlite, TRASH } from './fuzz/engines.ts'
import { fuzz, type FuzzResult } from './fuzz/fuzz.ts'

const SEED = 20_261_121

/** The plugin and the dialect, loaded anew so that a bug planted in a module is in them. */
async function load(): Promise<{ plugin: KyselyPlugin; wrap: Parameters<typeof fuzz>[1]['wrap'] }> {
  const [{ softDeletePlugin }, { softDeleteDialect }] = await Promise.all([
    import('../src/plugin.ts'),
    import('../src/dialect/dialect.ts'),
  ])
  return { plugin: softDeletePlugin(TRASH, { deletes: 'dialect' }), wrap: softDeleteDialect }
}

describe('differential fuzz against views', () => {
  test('finds no difference on SQLite', { timeout: 60_000 }, async () => {
    await using database = await openSqlite()
    const result = await fuzz(database, { queries: 2500, seed: SEED, ...(await load()) })
    expect(result.mismatches).toEqual([])
    expect(result.refused).toBe(0)
  })

  test('finds no difference on PostgreSQL', { timeout: 120_000 }, async () => {
    await using database = await openPostgres(inject('postgresUrl'))
    const result = await fuzz(database, { queries: 1200, seed: SEED, ...(await load()) })
    expect(result.mismatches).toEqual([])
    expect(result.refused).toBe(0)
  })
})

describe('the fuzz finds a planted bug within 5,000 queries', { timeout: 120_000 }, () => {
  afterEach(() => {
    vi.doUnmock('../src/placement/place.ts')
    vi.doUnmock('../src/placement/predicate.ts')
    vi.doUnmock('../src/placement/reference.ts')
    vi.resetModules()
  })

  async function hunt(change: (plugin: KyselyPlugin) => KyselyPlugin = (plugin) => plugin): Promise<FuzzResult> {
    vi.resetModules()
    const { plugin, wrap } = await load()
    await using database = await openSqlite()
    return fuzz(database, { queries: 5000, seed: SEED, plugin: change(plugin), wrap })
  }

  test('the predicate of a left join in WHERE', async () => {
    vi.doMock('../src/placement/place.ts', async (original) => ({
      ...(await original<typeof Place>()),
      placeOfJoined: () => 'where',
    }))
    expectFound(await hunt())
  })

  test('missing parentheses', async () => {
    vi.doMock('../src/placement/predicate.ts', async (original) => {
      const real = await original<typeof Predicate>()
      return {
        ...real,
        conjoin: (...[condition, predicates]: Parameters<typeof real.conjoin>) => bare(real, condition, predicates),
      }
    })
    expectFound(await hunt())
  })

  test('a CTE taken for the table it is named like', async () => {
    vi.doMock('../src/placement/reference.ts', async (original) => {
      const real = await original<typeof References>()
      return {
        ...real,
        readReference: (...[node, config]: Parameters<typeof real.readReference>) =>
          real.readReference(node, config, undefined),
      }
    })
    expectFound(await hunt())
  })

  test('a scope lost in the second transform', async () => {
    const result = await hunt((plugin) => ({
      ...plugin,
      transformQuery: (args) => withoutMarks(plugin.transformQuery(args)),
    }))
    expectFound(result)
  })
})

/** A bug that fails every query would prove nothing: it has to survive some. */
function expectFound({ mismatches, queries }: FuzzResult): void {
  expect(mismatches).toHaveLength(1)
  expect(queries).toBeGreaterThan(1)
}

/** Joins by AND, but leaves raw SQL as it is. */
function bare(
  real: typeof Predicate,
  condition: OperationNode | undefined,
  predicates: Parameters<typeof real.conjoin>[1],
): OperationNode | undefined {
  const strip = (node: OperationNode): OperationNode => {
    if (node.kind === 'AndNode') {
      const { left, right } = node as OperationNode & { left: OperationNode; right: OperationNode }
      return { ...node, left: strip(left), right: strip(right) } as OperationNode
    }
    return node.kind === 'ParensNode' ? (node as OperationNode & { node: OperationNode }).node : node
  }
  const joined = real.conjoin(condition, predicates)
  return joined === undefined || joined === condition ? joined : strip(joined)
}

function withoutMarks(root: RootOperationNode): RootOperationNode {
  const { endModifiers: _, ...rest } = root as RootOperationNode & { endModifiers?: unknown }
  return rest as RootOperationNode
}
