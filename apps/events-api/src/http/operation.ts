import type { MaybeActor } from '../access.ts'
import type { Schema } from '../resources/attributes.ts'
import type { Service } from '../service.ts'

/** One request, once the gate let it in. */
export interface Call {
  readonly request: Request
  readonly url: URL
  /** Values of the path's `{names}`. */
  readonly params: Readonly<Record<string, string>>
  readonly actor: MaybeActor
  /** Address of the client as the server knows it. */
  readonly clientIp: string | undefined
  readonly service: Service
}

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

/**
 * A route with its description: the router mounts it, OpenAPI is written from it, and the contract run exercises it.
 *
 * The handler answers success and throws the rest; each status that it can end in stands in `responses` or `errors`.
 */
export interface Operation {
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
  readonly handle: (call: Call) => Promise<Response>
}

/** The transaction's name in the contract run. */
export function operationName(operation: Operation): string {
  return operation.name.join(' > ')
}
