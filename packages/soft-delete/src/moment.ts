/** SQLite has no date type: text as its own `current_timestamp` writes it, with milliseconds. */
export function encodeMoment(isSqlite: boolean, moment: Date | number): Date | number | string {
  if (typeof moment === 'number' || !isSqlite) return moment
  return moment.toISOString().slice(0, -1).replace('T', ' ')
}
