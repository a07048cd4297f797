import {
  type DatabaseIntrospector,
  type DeleteQueryNode,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type OperationNode,
  type QueryCompiler,
  type RootOperationNode,
} from 'kysely'

import type { SoftDelete } from '../config.ts'
import { filterTrashed, type WalkOptions } from '../placement/walk.ts'
import type { Reference } from '../placement/reference.ts'
import { compileAsUpdate } from './compile-as-update.ts'

/**
 * Wraps a dialect so that DELETE of a configured table is compiled as UPDATE of its marker column: at the root and in
 * CTEs, in transactions, with RETURNING (which gives the row as trashed) and USING.
 *
 * Belongs together with `softDeletePlugin(config, { deletes: 'dialect' })`. The rows are trashed one statement at a time,
 * so no cascade and no batch: a table that is the parent in a relation other than `ignore` is refused.
 *
 * @throws {@link SoftDeleteError} when a query is compiled: `SOFT_DELETE_DIRECT_DELETE` for such a parent,
 * `SOFT_DELETE_UNSUPPORTED` for a delete whose UPDATE would reach other rows.
 * @example
 * const dialect = softDeleteDialect(new PostgresDialect({ pool }), trash)
 * const db = new Kysely<Database>({ dialect, plugins: [softDeletePlugin(trash, { deletes: 'dialect' })] })
 */
export function softDeleteDialect(dialect: Dialect, config: SoftDelete): Dialect {
  return new SoftDeleteDialect(dialect, config)
}

class SoftDeleteDialect implements Dialect {
  readonly #inner: Dialect
  readonly #config: SoftDelete

  constructor(inner: Dialect, config: SoftDelete) {
    this.#inner = inner
    this.#config = config
  }

  createDriver(): Driver {
    return this.#inner.createDriver()
  }

  createAdapter(): DialectAdapter {
    return this.#inner.createAdapter()
  }

  // The interface of Kysely says `any`.
  createIntrospector(db: Kysely<never>): DatabaseIntrospector {
    return this.#inner.createIntrospector(db)
  }

  createQueryCompiler(): QueryCompiler {
    const inner = this.#inner.createQueryCompiler()
    const adapter = this.#inner.createAdapter()
    const options: WalkOptions = {
      config: this.#config,
      rawNames: undefined,
      // The walk ends below with an UPDATE in the place of a DELETE, which its type does not foresee.
      onDelete: (node: DeleteQueryNode, target: Reference) =>
        compileAsUpdate(node, target, this.#config, adapter) as OperationNode as DeleteQueryNode,
    }
    return {
      compileQuery: (node: RootOperationNode, queryId) =>
        inner.compileQuery(
          hasDelete(node) ? (filterTrashed(node as OperationNode, options) as RootOperationNode) : node,
          queryId,
        ),
    }
  }
}

/** DELETE stands at the root or in a CTE of the root, nowhere else. */
function hasDelete(node: RootOperationNode): boolean {
  if (node.kind === 'DeleteQueryNode') return true
  if (!('with' in node) || node.with === undefined) return false
  return node.with.expressions.some(({ expression }) => hasDelete(expression as RootOperationNode))
}
