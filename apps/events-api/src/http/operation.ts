import type { MaybeActor } from '../access.ts'
import type { Service } from '../service.ts'
import type { Description } from './description.ts'

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

/**
 * A route with its description: the router mounts it, OpenAPI is written from it, and the contract run exercises it.
 *
 * The handler answers success and throws the rest; each status that it can end in stands in `responses` or `errors`.
 */
export interface Operation extends Description {
  readonly handle: (call: Call) => Promise<Response>
}
