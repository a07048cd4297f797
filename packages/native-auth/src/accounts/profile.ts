import type { SchemaIssue, StandardSchema } from '../internal/standard-schema.ts'

/** A text field beside name and password, on the sign-up page and in JSON. */
export interface ProfileField {
  readonly label: string
  /** @default false */
  readonly required?: boolean
  /** Longest value, in code points. @default 200 */
  readonly maxLength?: number
  /** Value of the HTML attribute. @default 'on' */
  readonly autocomplete?: string
}

/** Fields by name, as {@link profileFields} reads them. */
export type ProfileDefinition = Readonly<Record<string, ProfileField>>

/** The values that a definition lets through. */
export type ProfileOf<Definition extends ProfileDefinition> = {
  readonly [Name in keyof Definition]: Definition[Name]['required'] extends true ? string : string | undefined
}

/** A Standard Schema that also knows how its fields are drawn. */
export interface ProfileSchema<Profile> extends StandardSchema<Profile> {
  readonly fields: ProfileDefinition
}

/**
 * Declares text fields for the profile of an account.
 *
 * Values are trimmed; a missing required one and one that is too long are refused; other properties are dropped.
 *
 * @example
 * profileFields({ fullname: { label: 'Full name', required: true, autocomplete: 'name' } })
 */
export function profileFields<const Definition extends ProfileDefinition>(
  fields: Definition,
): ProfileSchema<ProfileOf<Definition>> {
  const validate = (value: unknown) => {
    const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
    const issues: SchemaIssue[] = []
    const profile: Record<string, string> = {}
    for (const [name, field] of Object.entries(fields)) {
      const found = given[name] ?? ''
      const text = typeof found === 'string' ? found.trim().normalize('NFC') : undefined
      const max = field.maxLength ?? 200
      if (text === undefined || !text.isWellFormed() || text.includes('\0')) {
        issues.push({ path: [name], message: `${field.label} should be a text` })
      } else if (text === '') {
        if (field.required === true) issues.push({ path: [name], message: 'Field required' })
      } else if (Array.from(text).length > max) {
        issues.push({ path: [name], message: `${field.label} has at most ${max} characters` })
      } else {
        profile[name] = text
      }
    }
    return issues.length > 0 ? { issues } : { value: profile as ProfileOf<Definition> }
  }
  return { '~standard': { version: 1, vendor: 'native-auth', validate }, fields }
}

/** The fields that a page can draw; none for a schema that only validates. */
export function profileFieldsOf(
  schema: StandardSchema<unknown> | undefined,
): readonly (ProfileField & { readonly name: string; readonly required: boolean })[] {
  if (schema === undefined || !('fields' in schema)) return []
  return Object.entries(schema.fields as ProfileDefinition).map(([name, field]) => ({
    ...field,
    name,
    required: field.required ?? false,
  }))
}
