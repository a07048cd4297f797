import { ScopeSet } from './permissions/scope-set.ts'
import type { Service } from './store/services.ts'
import type { ApiToken } from './store/tokens.ts'
import type { User } from './store/users.ts'

/** Who makes a call, and what he may do. */
export interface Requester {
  readonly owner:
    | { readonly kind: 'user'; readonly user: User }
    | { readonly kind: 'service'; readonly service: Service }
    | { readonly kind: 'nobody' }
  readonly name: string
  readonly scopes: ScopeSet
  /** The token of the call; a browser's has none. */
  readonly token?: ApiToken
  readonly sessionId: string | null
}

/** The requester of calls that need none. */
export const ANYBODY: Requester = { owner: { kind: 'nobody' }, name: '', scopes: ScopeSet.none, sessionId: null }
