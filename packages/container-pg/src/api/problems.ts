import { ContainerPgError, type ContainerPgErrorCode } from '../errors.ts'

/** HTTP status of each code; what is missing here is our failure, not the caller's. */
const STATUS: Partial<Record<ContainerPgErrorCode, number>> = {
  INVALID_INPUT: 422,
  STORAGE_REFUSED: 422,
  WRONG_PASSWORD: 401,
  NOT_FOUND: 404,
  NAME_TAKEN: 409,
  NOT_RUNNING: 409,
  PORT_TAKEN: 409,
  STORAGE_IN_USE: 409,
  STORAGE_FOREIGN: 409,
  STORAGE_MISSING: 409,
  VERSION_MISMATCH: 409,
  IMAGE_MISSING: 424,
  IMAGE_UNFIT: 424,
  BUSY: 503,
  ENGINE_UNREACHABLE: 503,
  ENGINE_TIMEOUT: 503,
  SERVER_RECOVERING: 503,
  DISK_FULL: 507,
}

/** Body of every answer that is no success. */
export interface Problem {
  readonly status: 'error'
  readonly code: ContainerPgErrorCode | 'UNAUTHORISED' | 'NO_ROUTE' | 'METHOD_NOT_ALLOWED' | 'BODY_REFUSED' | 'INTERNAL'
  readonly message: string
  readonly remedy?: string
  readonly log?: readonly string[]
}

/** An answer that the caller is to blame for, or that stands for itself. */
export function problem(
  status: number,
  code: Problem['code'],
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ status: 'error', code, message } satisfies Problem, { status, headers })
}

/** Turns an error into an answer. What is not ours says nothing about our insides. */
export function problemOf(error: unknown): Response {
  if (!(error instanceof ContainerPgError)) return problem(500, 'INTERNAL', 'Something went wrong in the service')
  const body: Problem = {
    status: 'error',
    code: error.code,
    message: error.message,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    ...(error.logTail.length === 0 ? {} : { log: error.logTail }),
  }
  return Response.json(body, { status: STATUS[error.code] ?? 500 })
}
