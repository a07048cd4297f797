import type { Call } from './call.ts'

/** Answers one method of one path. */
export interface Route<Profile> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path below the base; `*` stands for one segment. */
  readonly path: string
  /** The kind of body that this route is for, where a path has a page and a JSON side. */
  readonly body?: 'json' | 'form'
  /** Whether errors are pages. */
  readonly isPage: boolean
  readonly run: (call: Call<Profile>) => Promise<Response>
}
