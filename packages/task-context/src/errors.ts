/** Reasons task-context fails. A minor release may add codes; none changes meaning. */
export type TaskErrorCode =
  | 'TASK_NO_CONTEXT'
  | 'TASK_CONTEXT_INVALID'
  | 'TASK_CONTEXT_TOO_LARGE'
  | 'TASK_PAYLOAD_INVALID'
  | 'TASK_PAYLOAD_NOT_JSON'
  | 'TASK_POISON'
  | 'TASK_FORGED'
  | 'TASK_JOB_UNKNOWN'
  | 'TASK_VERSION_UNKNOWN'
  | 'TASK_TIMEOUT'
  | 'TASK_DEADLINE'
  | 'TASK_CANCELLED'
  | 'TASK_LOCK_LOST'
  | 'TASK_SHUTDOWN'
  | 'TASK_NESTING'
  | 'TASK_UNRECOVERABLE'
  | 'TASK_NO_DATABASE'
  | 'TASK_DRIVER_CONTRACT'
  | 'TASK_UNSUPPORTED'
  | 'TASK_PRODUCTION'
  | 'TASK_ENQUEUE_UNCERTAIN'
  | 'TASK_CLOSED'
  | 'TASK_SIGNAL_INVALID'

/** Every failure this package raises on purpose. Branch on {@link TaskError.code}, not on the message. */
export class TaskError extends Error {
  override readonly name = 'TaskError'
  readonly code: TaskErrorCode

  constructor(code: TaskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** An enqueue that was sent but not answered: the job may or may not run. Enqueue again with the same id. */
export class EnqueueUncertainError extends TaskError {
  /** The id to repeat the call with; a job that arrived twice under one id runs once. */
  readonly jobId: string

  constructor(jobId: string, message: string, options?: ErrorOptions) {
    super('TASK_ENQUEUE_UNCERTAIN', message, options)
    this.jobId = jobId
  }
}

/** Makes an `Error` of whatever was thrown, so that a reason is never lost to `throw 'text'`. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  let text = typeof thrown as string
  try {
    text = String(thrown)
  } catch {
    // An object need not have a text.
  }
  return new Error(`Thrown value that is no error: ${text}`)
}
