import { createHmac } from 'node:crypto'

import { RequestError } from '../errors.ts'
import { sameSecret } from '../same-secret.ts'

/** Proofs that a form was made by the hub for one login; another site cannot know them. */
export class Forms {
  readonly #secret: string

  constructor(secret: string) {
    this.#secret = secret
  }

  /** The proof of one login. */
  proof(sessionId: string): string {
    return createHmac('sha256', this.#secret).update(`form ${sessionId}`).digest('base64url')
  }

  isValid(proof: string, sessionId: string | null): boolean {
    return sessionId !== null && sameSecret(proof, this.proof(sessionId))
  }

  /**
   * Takes a posted form apart and checks its proof.
   *
   * @throws {@link RequestError} 403 when the proof is missing or another login's.
   */
  check(posted: string, sessionId: string | null): URLSearchParams {
    const form = new URLSearchParams(posted)
    if (!this.isValid(form.get('_xsrf') ?? '', sessionId)) {
      throw new RequestError(403, 'This form is out of date. Go back, reload the page and try again.')
    }
    return form
  }
}
