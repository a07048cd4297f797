/** A JSON Schema (2020-12), as OpenAPI 3.1 embeds it. */
export type Schema = Readonly<Record<string, unknown>>

/** How a value is compared in `filter` and read from the query string. */
type Kind = 'text' | 'integer' | 'number' | 'boolean' | 'instant'

/** One member of `attributes`: what clients see, and the column behind it. */
export interface Attribute {
  readonly kind: Kind
  /** Schema of the value in documents; also checks what clients send. */
  readonly schema: Schema
  /** Must be present when a client creates the resource. */
  readonly required: boolean
  /** Who may set it: a client at any time, a client at creation, or the service alone. */
  readonly set: 'always' | 'once' | 'never'
  /** A value that a request may carry: the example of the documentation and of the contract tests. */
  readonly example: unknown
  /** Can be sorted and filtered by. */
  readonly query: boolean
}

interface Options<Value> {
  readonly description: string
  readonly example: Value
  /** @default false */
  readonly required?: boolean
  /** @default 'always' */
  readonly set?: Attribute['set']
  /** @default true */
  readonly query?: boolean
}

/** Text without NUL, which PostgreSQL cannot hold. `max` is in UTF-16 code units. */
export function text(options: Options<string> & { readonly max?: number; readonly format?: string }): Attribute {
  return attribute('text', options, {
    type: 'string',
    ...(options.required === true && { minLength: 1 }),
    maxLength: options.max ?? 255,
    ...(options.format !== undefined && { format: options.format }),
  })
}

/** An address of a page: http or https. */
export function link(options: Options<string>): Attribute {
  return attribute('text', options, { type: 'string', format: 'uri', pattern: '^https?://', maxLength: 2048 })
}

/** One of a fixed set of words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  options: Options<Word> & { readonly default?: Word },
): Attribute {
  const schema = { type: 'string', enum: words, ...(options.default !== undefined && { default: options.default }) }
  return attribute('text', options, schema, options.default !== undefined)
}

/** A whole number that fits PostgreSQL's `integer`. */
export function integer(options: Options<number> & { readonly min?: number; readonly max?: number }): Attribute {
  return attribute('integer', options, {
    type: 'integer',
    minimum: options.min ?? -2_147_483_648,
    maximum: options.max ?? 2_147_483_647,
  })
}

/** A number such as a coordinate. */
export function number(options: Options<number> & { readonly min: number; readonly max: number }): Attribute {
  return attribute('number', options, { type: 'number', minimum: options.min, maximum: options.max })
}

/** Yes or no; absent means `false`. */
export function flag(options: Options<boolean>): Attribute {
  return attribute('boolean', options, { type: 'boolean', default: false }, true)
}

/** A moment, RFC 3339 with offset; read back in UTC with milliseconds. */
export function instant(options: Options<string>): Attribute {
  return attribute('instant', options, { type: 'string', format: 'date-time' })
}

function attribute(kind: Kind, options: Options<unknown>, schema: Schema, neverNull = false): Attribute {
  const required = options.required ?? false
  const nullable = !required && !neverNull
  const values = schema['enum'] as readonly string[] | undefined
  return {
    kind,
    required,
    set: options.set ?? 'always',
    example: options.example,
    query: options.query ?? true,
    schema: {
      ...schema,
      ...(nullable && { type: [schema['type'], 'null'] }),
      ...(nullable && values !== undefined && { enum: [...values, null] }),
      description: options.description,
      examples: [options.example],
    },
  }
}
