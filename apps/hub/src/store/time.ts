/**
 * Writes a moment as the database keeps it: UTC without a zone, six decimals, as SQLAlchemy does.
 *
 * The text sorts by time, and Postgres reads it as a `timestamp`.
 */
export function toStored(moment: Date): string {
  return moment.toISOString().replace('T', ' ').replace('Z', '000')
}

/** Reads a stored moment. */
export function fromStored(stored: string): Date {
  return new Date(`${stored.replace(' ', 'T')}Z`)
}

/** A stored moment as pages show it, in UTC to the minute; `undefined` where there is none. */
export function toMinute(stored: string | null): string | undefined {
  return stored?.slice(0, 16)
}

/** A stored moment as the API shows it, `null` where there is none. */
export function toIso(stored: string | null): string | null {
  return stored === null ? null : `${stored.replace(' ', 'T')}Z`
}
