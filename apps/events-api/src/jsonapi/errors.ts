/** Every problem that the API reports: its status and its title. The key is the `code` member of the error object. */
const problems = {
  malformed_document: [400, 'Malformed document'],
  unknown_parameter: [400, 'Unknown query parameter'],
  invalid_parameter: [400, 'Invalid query parameter'],
  invalid_upload: [400, 'Invalid upload'],
  unauthenticated: [401, 'Sign-in required'],
  forbidden: [403, 'Forbidden'],
  unsupported_operation: [403, 'Unsupported operation'],
  not_found: [404, 'Object not found'],
  method_not_allowed: [405, 'Method not allowed'],
  not_acceptable: [406, 'Not acceptable'],
  type_mismatch: [409, 'Type mismatch'],
  id_mismatch: [409, 'Id mismatch'],
  duplicate: [409, 'Conflict with another resource'],
  conflict: [409, 'Conflict with the state of the resource'],
  precondition_failed: [412, 'Precondition failed'],
  too_large: [413, 'Content too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  invalid_value: [422, 'Invalid value'],
  rejected_file: [422, 'File refused'],
  too_many_requests: [429, 'Too many requests'],
  internal: [500, 'Internal error'],
  unavailable: [503, 'Service unavailable'],
} as const

/** Stable codes of the API's errors. */
export type ProblemCode = keyof typeof problems

/** Where in the request the problem lies. */
export type ProblemSource = { readonly pointer: string } | { readonly parameter: string } | { readonly header: string }

/** One member of `errors` as JSON:API 1.1 writes it; `status` is a string there. */
export interface ErrorObject {
  readonly status: string
  readonly code: ProblemCode
  readonly title: string
  readonly detail: string
  readonly source?: ProblemSource
}

/**
 * An answer other than success, on purpose. Branch on {@link ApiError.status} and on the `code` of its objects.
 *
 * @see https://jsonapi.org/format/1.1/#error-objects
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly errors: readonly ErrorObject[]
  readonly headers: Readonly<Record<string, string>>

  constructor(
    errors: readonly [ErrorObject, ...ErrorObject[]],
    options: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(errors[0].detail, options)
    this.status = Number(errors[0].status)
    this.errors = errors
    this.headers = options.headers ?? {}
  }
}

/** Builds one error object; the code decides status and title. */
export function errorObject(code: ProblemCode, detail: string, source?: ProblemSource): ErrorObject {
  const [status, title] = problems[code]
  return { status: String(status), code, title, detail, ...(source && { source }) }
}

/** Builds an error with a single object. */
export function problem(
  code: ProblemCode,
  detail: string,
  source?: ProblemSource,
  options?: ErrorOptions & { readonly headers?: Readonly<Record<string, string>> },
): ApiError {
  return new ApiError([errorObject(code, detail, source)], options)
}

/** Codes that belong to a status, for the description of the API. */
export function codesOf(status: number): ProblemCode[] {
  return (Object.keys(problems) as ProblemCode[]).filter((code) => problems[code][0] === status)
}

/** Title of a status as the description of the API shows it. */
export function titleOf(status: number): string {
  return codesOf(status)
    .map((code) => problems[code][1])
    .join(' / ')
}
