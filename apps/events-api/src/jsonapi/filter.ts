import type { Attribute } from '../resources/attributes.ts'
import { columnOf, queryable, type Relationship, type Resource } from '../resources/resource.ts'
import { type Registry, resourceOf } from '../resources/registry.ts'
import { problem } from './errors.ts'
import { parseId } from './id.ts'

const operators = {
  eq: '=',
  ne: 'is distinct from',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  like: 'ilike',
  in: 'in',
} as const

/** Words after the attribute's name: `filter[starts-at][ge]=…`; without one it is `eq`. */
type FilterOperator = keyof typeof operators

const filterOperators = Object.keys(operators) as FilterOperator[]

/** A comparison of a column with a value, in the database's words. */
export type Condition =
  | { readonly column: string; readonly operator: (typeof operators)[FilterOperator]; readonly value: unknown }
  | { readonly through: { readonly table: string; readonly here: string; readonly there: string }; readonly id: number }
  | { readonly search: NonNullable<Resource['search']>; readonly words: string }
  | { readonly linked: Relationship; readonly target: Resource; readonly id: number }

const MAX_LIST = 100

/**
 * Reads `filter[attribute]=v`, `filter[attribute][operator]=v` or `filter[relationship]=id`; the last matches nothing
 * when the reader may not see what has the id.
 *
 * `filter[search]` looks for words in the index of a resource that has one.
 *
 * `like` looks for the text anywhere, ignoring case; `in` takes values separated by commas; `null` is written as an
 * empty value of `eq` and `ne`.
 *
 * @throws {@link ApiError} 400 naming the parameter.
 */
export function parseFilter(
  parameter: string,
  keys: readonly string[],
  value: string,
  resource: Resource,
  registry: Registry,
): Condition {
  const fail = (detail: string) => problem('invalid_parameter', detail, { parameter })
  const [name = '', word = 'eq'] = keys
  if (keys.length === 0 || keys.length > 2) throw fail('Expected `filter[attribute]` or `filter[attribute][operator]`')
  if (!Object.hasOwn(operators, word)) {
    throw fail(`Expected an operator of ${filterOperators.join(', ')}, got \`${word}\``)
  }
  const operator = word as FilterOperator
  if (value.includes('\0')) throw fail('Expected text without NUL')

  if (Object.hasOwn(resource.relationships, name)) {
    const relationship = resource.relationships[name]!
    if (operator !== 'eq') throw fail('Expected no operator on a relationship')
    const id = parseId(value)
    if (id === undefined) throw fail(`Expected the id of one of \`${relationship.type}\``)
    return { linked: relationship, target: resourceOf(registry, relationship.type), id }
  }

  if (name === 'search' && resource.search !== undefined) {
    if (operator !== 'eq') throw fail('Expected no operator on `search`')
    return { search: resource.search, words: value }
  }
  const kind = kindOf(resource, name)
  if (kind === undefined)
    throw fail(`Expected one of ${filterable(resource).join(', ')}, got \`${name.slice(0, 100)}\``)
  const column = columnOf(name)
  if (operator === 'like') {
    if (kind !== 'text') throw fail('Expected `like` on a text attribute only')
    return { column, operator: 'ilike', value: `%${value.replaceAll(/[\\%_]/g, String.raw`\$&`)}%` }
  }
  const read = (text: string) => {
    const parsed = parseValue(kind, text)
    if (parsed === undefined) throw fail(`Expected ${kinds[kind]}, got \`${text.slice(0, 100)}\``)
    return parsed
  }
  if (operator === 'in') {
    const values = value.split(',')
    if (values.length > MAX_LIST) throw fail(`Expected at most ${MAX_LIST} values`)
    return { column, operator: 'in', value: values.map(read) }
  }
  if (value === '' && (operator === 'eq' || operator === 'ne')) {
    return { column, operator: operator === 'eq' ? '=' : 'is distinct from', value: null }
  }
  return { column, operator: operators[operator], value: read(value) }
}

const kinds: Readonly<Record<Attribute['kind'], string>> = {
  text: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  instant: 'a date such as 2027-01-31, or a moment such as 2027-01-31T09:00:00Z',
}

/** What `filter[…]` takes of a resource. */
function filterable(resource: Resource): string[] {
  const search = resource.search === undefined ? [] : ['search']
  return [...queryable(resource), ...Object.keys(resource.relationships), ...search]
}

function kindOf(resource: Resource, name: string): Attribute['kind'] | undefined {
  if (name === 'id') return 'integer'
  if (name === 'created-at' || name === 'updated-at' || (name === 'deleted-at' && resource.softDelete)) return 'instant'
  const attribute = Object.hasOwn(resource.attributes, name) ? resource.attributes[name] : undefined
  return attribute?.query === true ? attribute.kind : undefined
}

function parseValue(kind: Attribute['kind'], text: string): unknown {
  switch (kind) {
    case 'text':
      return text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined
    case 'integer': {
      const number = /^-?[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
      return Math.abs(number) <= 2_147_483_647 ? number : undefined
    }
    case 'number': {
      const number = /^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$/.test(text) ? Number(text) : Number.NaN
      return Number.isFinite(number) ? number : undefined
    }
    case 'instant': {
      const date = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? new Date(text) : undefined
      return date === undefined || Number.isNaN(date.getTime()) ? undefined : date
    }
  }
}
