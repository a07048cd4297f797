/** Tables of the benched queries. `people` is not soft-deletable. */
export interface Tables {
  events: { id: number; title: string | null; owner_id: number | null; deleted_at: string | null }
  sessions: { id: number; event_id: number | null; title: string | null; deleted_at: string | null }
  rooms: { id: number; session_id: number | null; deleted_at: string | null }
  talks: { id: number; room_id: number | null; deleted_at: string | null }
  people: { id: number; name: string | null }
}

/** The same, for peers that need to be told. */
export const COLUMNS: Readonly<Record<keyof Tables, readonly string[]>> = {
  events: ['id', 'title', 'owner_id', 'deleted_at'],
  sessions: ['id', 'event_id', 'title', 'deleted_at'],
  rooms: ['id', 'session_id', 'deleted_at'],
  talks: ['id', 'room_id', 'deleted_at'],
  people: ['id', 'name'],
}
