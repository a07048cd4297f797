import {
  type DeleteQueryNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely'

import type { SoftDelete } from './config.ts'
import { guardedDelete } from './dialect/guard.ts'
import { SoftDeleteError } from './errors.ts'
import { rawNamesOf } from './placement/raw.ts'
import type { Reference } from './placement/reference.ts'
import { filterTrashed, type WalkOptions } from './placement/walk.ts'

/** Options of {@link softDeletePlugin}. */
export interface SoftDeletePluginOptions {
  /**
   * What `db.deleteFrom(configuredTable)` does: throws an error that names the helper, or leaves the work to
   * {@link softDeleteDialect}. Without that dialect the database refuses the statement; nothing is deleted.
   * @default 'throw'
   */
  readonly deletes?: 'throw' | 'dialect'
  /** Refuses raw SQL that names a configured table and has no `live()` in the same fragment. @default false */
  readonly strict?: boolean
}

/**
 * Hides trashed rows from every query of a Kysely instance: reads, joins, subqueries, CTEs, set operations, and what
 * UPDATE, DELETE, INSERT…SELECT and MERGE read.
 *
 * Raw SQL is not filtered; see {@link SoftDeletePluginOptions.strict} and {@link live}. The result of `withoutPlugins()`
 * is not filtered either. A query that names no configured table passes as the very same object.
 *
 * @throws {@link SoftDeleteError} when a query is compiled: `SOFT_DELETE_DIRECT_DELETE`, `SOFT_DELETE_UPSERT_UNDECIDED`,
 * `SOFT_DELETE_VIEW_UNDECIDED`, `SOFT_DELETE_RAW_SQL`, `SOFT_DELETE_UNSUPPORTED`.
 * @example
 * const db = new Kysely<Database>({ dialect, plugins: [softDeletePlugin(trash)] })
 */
export function softDeletePlugin(config: SoftDelete, options: SoftDeletePluginOptions = {}): KyselyPlugin {
  const walk: WalkOptions = {
    config,
    rawNames: options.strict === true ? rawNamesOf(config) : undefined,
    onDelete: options.deletes === 'dialect' ? guardedDelete : refuseDelete,
  }
  return {
    transformQuery: ({ node }: PluginTransformQueryArgs): RootOperationNode =>
      filterTrashed(node as OperationNode, walk) as RootOperationNode,
    transformResult: ({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> =>
      Promise.resolve(result),
  }
}

function refuseDelete(_node: DeleteQueryNode, { table }: Reference): never {
  throw new SoftDeleteError(
    'SOFT_DELETE_DIRECT_DELETE',
    `"${table.name}" is soft-deletable: use softDelete(), or hardDelete() to remove rows for good`,
  )
}
