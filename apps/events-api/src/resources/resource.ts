import type { Tasks } from '@org/task-context'
import type { Kysely, Transaction } from 'kysely'

import type { Attribute } from './attributes.ts'

/** A row as the driver returns it; columns follow the attributes' names in snake case. */
export type Row = Readonly<Record<string, unknown>>

/** Tables are known by the resources that declare them, so their columns are not types. */
export type Tables = Readonly<Record<string, Record<string, unknown>>>

export type Database = Kysely<Tables>

/** The connection of one request's transaction. */
export type Tx = Transaction<Tables>

/**
 * Who may do something, from wide to narrow: everybody, whoever is signed in, the user that the row belongs to (or an
 * organiser of its event), an organiser of its event, an administrator, nobody. Administrators may do all but `nobody`.
 */
export type Level = 'anyone' | 'member' | 'owner' | 'organiser' | 'admin' | 'nobody'

/** The person behind a request. */
export interface Actor {
  readonly id: number
  readonly username: string
  readonly admin: boolean
  /** Events that the person organises. */
  readonly organises: ReadonlySet<number>
}

/** A link to one other resource by a column of this one. */
export interface ToOne {
  readonly kind: 'one'
  readonly type: string
  readonly column: string
  readonly required: boolean
  /** May clients change it after creation? */
  readonly set: 'always' | 'once' | 'never'
}

/** A link to many others that name this one by their own to-one relationship. */
export interface ToMany {
  readonly kind: 'many'
  readonly type: string
  /** Name of the to-one relationship on the other side. */
  readonly inverse: string
}

/** A link to many others through a table of pairs. */
export interface Through {
  readonly kind: 'through'
  readonly type: string
  readonly table: string
  readonly here: string
  readonly there: string
  /** Only one of the two sides changes the pairs. */
  readonly writable: boolean
}

export type Relationship = ToOne | ToMany | Through

/** What happened to a row. */
export type Change = 'created' | 'updated' | 'trashed' | 'restored' | 'deleted'

/** Who may see, make, change and remove a resource. */
interface Access {
  readonly read: Level
  readonly create: Level
  readonly update: Level
  readonly remove: Level
}

/** Enqueues a job within the transaction at hand. */
export type Enqueue = Tasks<Record<never, never>, Record<never, never>, Database, Tx>['enqueue']

/** A kind of object that the API serves. One file in this folder declares everything about it. */
export interface Resource {
  /** Plural, dasherised; also the path below `/v1`. */
  readonly type: string
  /** One of them, in words, as in `session type`. */
  readonly singular: string
  readonly description: string
  readonly table: string
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly relationships: Readonly<Record<string, Relationship>>
  readonly access: Access
  /** Has a trash: `deleted_at` and its companions are columns of the table. Its trash goes with its event's. */
  readonly softDelete: boolean
  /** Column that names the event whose organisers decide; `id` for the event itself. */
  readonly eventColumn?: string
  /** Column that names the user to whom a row belongs. */
  readonly ownerColumn?: string
  /** What another live row must not have too, with the attribute to point at. Keys are names of unique indexes. */
  readonly unique?: Readonly<Record<string, string>>
  /** Index of words behind `filter[search]`, kept by a job: `words` of the table, by the resource's id. */
  readonly search?: { readonly table: string; readonly column: string }
  /** Signal that tells of each change, after commit. */
  readonly signal?: 'event' | 'session' | 'speaker' | 'microlocation' | 'user'
  /** Steps that make and change the table, named so that all names sort in the order of their making. */
  readonly migrations: Readonly<Record<string, string>>
  /** Runs in the transaction that creates a row; jobs enqueued there are part of it. Returns the row if it changed it. */
  readonly afterCreate?: (tx: Tx, row: Row, actor: Actor, enqueue: Enqueue) => Promise<Row | undefined>
  /** Runs in the transaction that deletes a row for good; jobs enqueued there are part of it. */
  readonly afterDelete?: (row: Row, enqueue: Enqueue) => Promise<void>
  /** Says why this very row must stay; then nobody deletes it. */
  readonly keep?: (row: Row) => string | undefined
  /** Checks a row across its columns before it is written; returns the attribute at fault and why. */
  readonly check?: (row: Row) => { readonly attribute: string; readonly detail: string } | undefined
}

/** Declares a resource; the types of its parts lead the author. */
export function defineResource(resource: Resource): Resource {
  return resource
}

/** A link by a column of this table. `column` is the name of the relationship with `_id` unless it differs. */
export function toOne(
  type: string,
  column: string,
  options: { readonly required?: boolean; readonly set?: ToOne['set'] } = {},
): ToOne {
  return { kind: 'one', type, column, required: options.required ?? false, set: options.set ?? 'always' }
}

/** The reverse of a {@link toOne} relationship called `inverse` on resource `type`. */
export function toMany(type: string, inverse: string): ToMany {
  return { kind: 'many', type, inverse }
}

/** A link by a table of pairs. */
export function through(type: string, pairs: Omit<Through, 'kind' | 'type'>): Through {
  return { kind: 'through', type, ...pairs }
}

/** Name of the column behind an attribute: `starts-at` is `starts_at`. */
export function columnOf(attribute: string): string {
  return attribute.replaceAll('-', '_')
}

/** Attributes that each resource has besides its own. */
export function builtIn(resource: Resource): readonly string[] {
  return resource.softDelete ? ['created-at', 'updated-at', 'deleted-at'] : ['created-at', 'updated-at']
}

/** Attributes that can be sorted and filtered by. */
export function queryable(resource: Resource): readonly string[] {
  const own = Object.keys(resource.attributes).filter((name) => resource.attributes[name]?.query === true)
  return ['id', ...own, ...builtIn(resource)]
}
