import { builtIn, columnOf, queryable, type Relationship, type Resource } from '../resources/resource.ts'
import { type Registry, resourceOf } from '../resources/registry.ts'
import { type Condition, parseFilter } from './filter.ts'
import { type ApiError, problem } from './errors.ts'

/** Bounds of a read; a request beyond them is a 400. */
export const limits = {
  pageSize: 100,
  defaultPageSize: 20,
  /** Rows that a page may lie behind: an offset is read and thrown away. */
  offset: 100_000,
  includeDepth: 3,
  includePaths: 20,
  /** Rows that one relationship may add to one response. */
  included: 1000,
  sortFields: 5,
  filters: 20,
} as const

/** Relationships to follow, and from each the next. */
export type IncludeTree = ReadonlyMap<string, IncludeTree>

interface Sort {
  readonly column: string
  readonly descending: boolean
}

/** A read as its query string describes it. */
export interface ReadQuery {
  readonly include: IncludeTree
  /** `include` was given, if only to be empty: then `included` is present. */
  readonly hasInclude: boolean
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>
  readonly sort: readonly Sort[]
  readonly conditions: readonly Condition[]
  readonly page: { readonly number: number; readonly size: number }
}

/** Query parameter families that an operation takes. */
export type Family = 'include' | 'fields' | 'sort' | 'filter' | 'page'

const NAME = /^([A-Za-z_][A-Za-z0-9_-]*)((?:\[[A-Za-z0-9_-]*\])*)$/

/**
 * Reads the query string of a request for a resource, strictly.
 *
 * @param parameters - What is left once the trash parameters were taken out.
 * @throws {@link ApiError} 400 for a parameter that the operation does not take, for one given twice, and for a value
 *   that is not understood; `source.parameter` names it as it was written.
 * @see https://jsonapi.org/format/1.1/#query-parameters
 */
export function parseQuery(
  parameters: Iterable<readonly [string, string]>,
  resource: Resource,
  registry: Registry,
  families: ReadonlySet<Family>,
): ReadQuery {
  let include: IncludeTree = new Map()
  let hasInclude = false
  let sort: readonly Sort[] = []
  const fields = new Map<string, ReadonlySet<string>>()
  const conditions: Condition[] = []
  const page: { number: number; size: number } = { number: 1, size: limits.defaultPageSize }
  const seen = new Set<string>()

  for (const [name, value] of parameters) {
    if (seen.has(name)) throw invalid(name, `Expected \`${name}\` once`)
    seen.add(name)
    const [, family = '', brackets = ''] = NAME.exec(name) ?? []
    const keys = brackets === '' ? [] : brackets.slice(1, -1).split('][')
    if (!families.has(family as Family)) throw unknown(name)
    switch (family as Family) {
      case 'include':
        if (keys.length > 0) throw unknown(name)
        include = parseInclude(value, resource, registry)
        hasInclude = true
        break
      case 'fields':
        fields.set(...parseFields(name, keys, value, registry))
        break
      case 'sort':
        if (keys.length > 0) throw unknown(name)
        sort = parseSort(value, resource)
        break
      case 'filter':
        if (conditions.length === limits.filters) throw invalid(name, `Expected at most ${limits.filters} filters`)
        conditions.push(parseFilter(name, keys, value, resource, registry))
        break
      case 'page':
        if (keys.length !== 1 || (keys[0] !== 'number' && keys[0] !== 'size')) throw unknown(name)
        page[keys[0]] = parsePage(name, value, keys[0] === 'size' ? limits.pageSize : limits.offset)
        break
    }
  }
  if ((page.number - 1) * page.size > limits.offset) {
    throw invalid('page[number]', `Expected a page within the first ${limits.offset} resources; narrow the filter`)
  }
  return { include, hasInclude, fields, sort, conditions, page }
}

/** A parameter that the operation does not take. */
function unknown(name: string): ApiError {
  return problem('unknown_parameter', `Expected no query parameter \`${name.slice(0, 100)}\``, { parameter: name })
}

/** A parameter with a value that is not understood. */
export function invalid(name: string, detail: string): ApiError {
  return problem('invalid_parameter', detail, { parameter: name })
}

function parseInclude(value: string, resource: Resource, registry: Registry): IncludeTree {
  type Growing = Map<string, Growing>
  const tree: Growing = new Map()
  if (value === '') return tree
  const paths = value.split(',')
  if (paths.length > limits.includePaths) {
    throw invalid('include', `Expected at most ${limits.includePaths} paths`)
  }
  for (const path of paths) {
    const names = path.split('.')
    if (names.length > limits.includeDepth) {
      throw invalid('include', `Expected paths of at most ${limits.includeDepth} relationships, got \`${path}\``)
    }
    let level = tree
    let from = resource
    for (const name of names) {
      const relationship = own<Relationship>(from.relationships, name)
      if (relationship === undefined) {
        const known = Object.keys(from.relationships).join(', ')
        const what = known === '' ? `\`${from.type}\` to have relationships` : `one of ${known} of \`${from.type}\``
        throw invalid('include', `Expected ${what}, got \`${name.slice(0, 100)}\``)
      }
      from = resourceOf(registry, relationship.type)
      const next: Growing = level.get(name) ?? new Map()
      level.set(name, next)
      level = next
    }
  }
  return tree
}

function parseFields(
  name: string,
  keys: readonly string[],
  value: string,
  registry: Registry,
): [string, ReadonlySet<string>] {
  const [type] = keys
  const resource = type === undefined || keys.length !== 1 ? undefined : registry.get(type)
  if (resource === undefined) throw unknown(name)
  const names = value === '' ? [] : value.split(',')
  for (const field of names) {
    if (!Object.hasOwn(resource.attributes, field) && !Object.hasOwn(resource.relationships, field)) {
      if (!builtIn(resource).includes(field)) {
        throw invalid(name, `Expected a field of \`${resource.type}\`, got \`${field.slice(0, 100)}\``)
      }
    }
  }
  return [resource.type, new Set(names)]
}

function parseSort(value: string, resource: Resource): Sort[] {
  const names = value.split(',')
  if (names.length > limits.sortFields) throw invalid('sort', `Expected at most ${limits.sortFields} fields`)
  return names.map((signed) => {
    const descending = signed.startsWith('-')
    const name = descending ? signed.slice(1) : signed
    const known = queryable(resource)
    if (!known.includes(name))
      throw invalid('sort', `Expected one of ${known.join(', ')}, got \`${name.slice(0, 100)}\``)
    return { column: columnOf(name), descending }
  })
}

function parsePage(name: string, value: string, max: number): number {
  const number = /^[1-9][0-9]{0,8}$/.test(value) ? Number(value) : Number.NaN
  if (!(number <= max)) throw invalid(name, `Expected \`${name}\` to be a whole number from 1 to ${max}`)
  return number
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
