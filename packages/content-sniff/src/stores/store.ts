/** Headers that a store keeps with an object. */
export interface ObjectHeaders {
  readonly contentType: string
  readonly contentDisposition: string | undefined
  readonly cacheControl: string | undefined
  /** User metadata: keys of lower-case letters, digits and `-`, values of visible ASCII. */
  readonly metadata: Readonly<Record<string, string>>
}

/** An object as a store describes it. */
export interface StoredObject extends ObjectHeaders {
  readonly key: string
  /** Size in bytes. */
  readonly size: number
  /** Entity tag with its quotes, as for HTTP. */
  readonly etag: string
  readonly lastModified: Date
  /** `Content-Encoding` of an object that somebody stored compressed: its bytes are not those of its type. */
  readonly contentEncoding?: string | undefined
}

/** Options of {@link Store.write}. */
export interface WriteOptions {
  /**
   * Headers to store. Asked for as late as the store can, after the last byte of the body where possible, so that they
   * may say what only the end of a stream reveals.
   */
  readonly headers: () => ObjectHeaders
  /** Exact size in bytes where it is known. */
  readonly size?: number | undefined
  /**
   * Replaces an object of the same key.
   * @default false
   */
  readonly overwrite?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Part of an object: both ends count from 0 and are included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A stored body with its description; consume or cancel the body. */
export interface OpenedObject {
  readonly object: StoredObject
  readonly body: ReadableStream<Uint8Array>
}

/**
 * Where uploads go. Keys have passed `checkKey`.
 *
 * One contract suite runs over all stores; the rules it checks are those written here.
 */
export interface Store {
  /**
   * Stores a body: all of it, durably, or nothing. When the body fails or the signal aborts, no object, part or
   * temporary file stays, and an object of the same key keeps its old content.
   *
   * @throws SniffError `SNIFF_EXISTS` when the key is taken and `overwrite` is off; `SNIFF_STORE_FAILED` when the store
   *   fails; whatever the body throws, unchanged; `SNIFF_ABORTED` when the signal aborts.
   */
  readonly write: (key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions) => Promise<StoredObject>
  /** Describes an object, `undefined` when there is none. */
  readonly head: (key: string, options?: StoreCallOptions) => Promise<StoredObject | undefined>
  /** Opens an object or a range of it, `undefined` when there is none. A range must lie within the object. */
  readonly read: (key: string, options?: ReadOptions) => Promise<OpenedObject | undefined>
  /**
   * Replaces headers and metadata, keeps bytes and key.
   *
   * @throws SniffError `SNIFF_NOT_FOUND` when there is no such object, or it is not the one that `etag` names.
   */
  readonly updateHeaders: (key: string, headers: ObjectHeaders, options?: UpdateOptions) => Promise<StoredObject>
  /** Removes an object; a key that names none is no error. */
  readonly delete: (key: string, options?: StoreCallOptions) => Promise<void>
  /** Lists objects in order of their keys. */
  readonly list: (options?: ListOptions) => AsyncIterable<ListedObject>
}

/** Options of every call to a store. */
export interface StoreCallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link Store.read}. */
export interface ReadOptions extends StoreCallOptions {
  readonly range?: ByteRange | undefined
}

/** Options of {@link Store.updateHeaders}. */
export interface UpdateOptions extends StoreCallOptions {
  /** Only when the object still has this entity tag. */
  readonly etag?: string | undefined
}

/** Options of {@link Store.list}. */
export interface ListOptions extends StoreCallOptions {
  /** Only keys that start so. */
  readonly prefix?: string | undefined
  /** Only keys after this one. */
  readonly after?: string | undefined
}

/** What a listing tells. */
export interface ListedObject {
  readonly key: string
  readonly size: number
}
