import type { Schema } from '../resources/attributes.ts'

/** A query parameter in the documentation. */
export interface Parameter {
  readonly name: string
  readonly description: string
  readonly schema: Schema
  /** A value that a request may carry. */
  readonly example?: string
}

/** An answer in the documentation. Without a media type it has no body. */
export interface Answer {
  readonly description: string
  readonly mediaType?: string
  readonly schema?: Schema
  readonly headers?: Readonly<Record<string, string>>
}

/** A body in the documentation. */
interface Body {
  readonly mediaType: string
  readonly schema: Schema
  readonly example?: unknown
}

/** What is written of a route: OpenAPI and the contract run are made from it. */
export interface Description {
  readonly id: string
  /** Group, resource and action as Dredd names transactions. */
  readonly name: readonly [group: string, resource: string, action: string]
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** OpenAPI path template. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** Who has use for it: everybody, everybody though signing in shows more, those signed in. */
  readonly session: 'none' | 'optional' | 'required'
  /** Answers by JSON:API's rules: `Accept` is negotiated and errors are error objects. */
  readonly jsonapi: boolean
  readonly parameters: readonly Parameter[]
  readonly body?: Body
  readonly responses: Readonly<Record<number, Answer>>
  /** Statuses of errors, each an error document. */
  readonly errors: readonly number[]
}

/** The transaction's name in the contract run. */
export function operationName(operation: Description): string {
  return operation.name.join(' > ')
}
