import type { OperationName } from './operations/index.ts'

/** What the runner sends to a helper; one request at a time. */
export interface Request {
  readonly operation: OperationName
  readonly input: unknown
}

/** What a helper sends: that it is up, then for each request any number of steps and one end. */
export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly errno: string | undefined }

/** Word on the command line that turns this program into a helper. */
export const helperWord = '--isolated-helper'
