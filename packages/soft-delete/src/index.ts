export {
  camelCaseNames,
  defineSoftDelete,
  type ParentOptions,
  type ParentPolicy,
  type Relation,
  type SoftDelete,
  type SoftDeleteOptions,
  type SoftDeleteTable,
  type TableOptions,
} from './config.ts'
export { softDeleteDialect } from './dialect/dialect.ts'
export { SoftDeleteError, type SoftDeleteErrorCode } from './errors.ts'
export { live } from './live.ts'
export { softDeletePlugin, type SoftDeletePluginOptions } from './plugin.ts'
export { onlyTrashed, permanently, type ReferencesOf, type ScopedQuery, withTrashed } from './scopes.ts'
export { checkSchema, type SchemaFinding, type SchemaFindingCode } from './schema/check-schema.ts'
export {
  addSoftDeleteColumns,
  createLiveIndex,
  dropSoftDeleteColumns,
  type LiveIndexOptions,
  type SoftDeleteColumnTypes,
} from './schema/migrations.ts'
export type { DeletedAt } from './types.ts'
export { hardDelete } from './writes/hard-delete.ts'
export { prune, type PruneOptions } from './writes/prune.ts'
export { requireLive } from './writes/require-live.ts'
export { restore, type RestoreOutcome } from './writes/restore.ts'
export type { ConfiguredTable, Connection, RowKey, RowSelection } from './writes/rows.ts'
export { softDelete, type SoftDeleteOutcome, type SoftDeleteRowsOptions } from './writes/soft-delete.ts'
export { upsert, type UpsertOptions, type UpsertOutcome } from './writes/upsert.ts'
