/** What the package needs of a database library. `kyselyDatabase` is one; another takes a file of this size. */
export interface Database<Db, Trx extends Db = Db> {
  /** Runs `use` in a transaction on a connection of its own: commits when it resolves, rolls back when it rejects. */
  readonly transaction: <T>(use: (handle: Trx) => Promise<T>) => Promise<T>
  /** Runs `use` on one reserved connection, outside any transaction. */
  readonly connection: <T>(use: (handle: Db) => Promise<T>) => Promise<T>
  /** Runs SQL with `$1` placeholders on a handle of the above, or on any connection when `undefined`. */
  readonly query: (
    handle: Db | undefined,
    sql: string,
    parameters: readonly unknown[],
  ) => Promise<Record<string, unknown>[]>
}
