/**
 * A validator of any library that follows Standard Schema, version 1: Zod, Valibot, ArkType and others.
 *
 * @see https://standardschema.dev (the interface is meant to be copied)
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema answers: a value, or the reasons it has none. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One reason a value does not fit. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Names the places and reasons of issues; the value itself stays out, as it may be personal. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .slice(0, 5)
    .map(({ message, path = [] }) => {
      const keys = path.map((part) => String(typeof part === 'object' ? part.key : part))
      return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
    })
    .join('; ')
}

/** Vendor of the schema that accepts anything: what it would say is known without asking. */
export const UNCHECKED = 'task-context'

/** A schema that accepts anything and types it as `Payload`; for jobs whose only producer is trusted code. */
export function unchecked<Payload>(): StandardSchema<Payload, Payload> {
  return {
    '~standard': { version: 1, vendor: UNCHECKED, validate: (value) => ({ value: value as Payload }) },
  }
}
