/** What a scope may be limited to. */
type FilterKind = 'user' | 'group' | 'server' | 'service'

type Filters = Readonly<Partial<Record<FilterKind, ReadonlySet<string>>>>

/** One thing that a request is about; `groups` are those of the user. */
export interface Target {
  readonly user?: string
  /** Server name of the user, empty for the default one. */
  readonly server?: string
  readonly groups?: readonly string[]
  readonly group?: string
  readonly service?: string
}

/**
 * The rights of one requester: scopes with their limits, already written out.
 *
 * Immutable. A server `N/S` lies within the user `N`, a user within his groups.
 */
export class ScopeSet {
  readonly #scopes: ReadonlyMap<string, Filters | 'all'>

  private constructor(scopes: ReadonlyMap<string, Filters | 'all'>) {
    this.#scopes = scopes
  }

  static readonly none: ScopeSet = new ScopeSet(new Map())

  /** Reads expanded scopes, see `expandScopes`. */
  static of(texts: Iterable<string>): ScopeSet {
    const scopes = new Map<string, Partial<Record<FilterKind, Set<string>>> | 'all'>()
    for (const text of texts) {
      const [name = '', filter] = text.split(/!(.*)/s)
      const known = scopes.get(name)
      if (filter === undefined) scopes.set(name, 'all')
      else if (known !== 'all') {
        const [kind = '', value = ''] = filter.split(/=(.*)/s)
        const filters = known ?? {}
        const values = (filters[kind as FilterKind] ??= new Set())
        values.add(value)
        scopes.set(name, filters)
      }
    }
    return new ScopeSet(scopes)
  }

  /** Whether the scope is held at all, however limited. */
  has(scope: string): boolean {
    return this.#scopes.has(scope)
  }

  /** Whether the scope is held without limit. */
  hasAll(scope: string): boolean {
    return this.#scopes.get(scope) === 'all'
  }

  /** The limits of a scope: `'all'`, the names by kind, or `undefined` when it is not held. */
  limits(scope: string): Filters | 'all' | undefined {
    return this.#scopes.get(scope)
  }

  /** Whether the scope reaches the target. */
  allows(scope: string, target: Target): boolean {
    const filters = this.#scopes.get(scope)
    if (filters === undefined) return false
    if (filters === 'all') return true
    const { user, server, group, service } = target
    if (user !== undefined) {
      if (filters.user?.has(user) === true) return true
      if (server !== undefined && filters.server?.has(`${user}/${server}`) === true) return true
      return target.groups?.some((each) => filters.group?.has(each) === true) ?? false
    }
    if (group !== undefined) return filters.group?.has(group) ?? false
    if (service !== undefined) return filters.service?.has(service) ?? false
    return false
  }

  /** Whether any scope of the set is limited to groups, so that memberships must be known to judge it. */
  get namesGroups(): boolean {
    for (const filters of this.#scopes.values()) if (filters !== 'all' && filters.group !== undefined) return true
    return false
  }

  /** The rights that both hold. `membersOf` names the users of a group: a limit to one of them lies within the group. */
  intersect(other: ScopeSet, membersOf: (group: string) => ReadonlySet<string> = () => new Set()): ScopeSet {
    const scopes = new Map<string, Filters | 'all'>()
    for (const [name, mine] of this.#scopes) {
      const theirs = other.#scopes.get(name)
      if (theirs === undefined) continue
      const both = mine === 'all' ? theirs : theirs === 'all' ? mine : narrow(mine, theirs, membersOf)
      if (both === 'all' || Object.values(both).some((values) => values.size > 0)) scopes.set(name, both)
    }
    return new ScopeSet(scopes)
  }

  /** Whether everything held here is held there too. */
  isWithin(other: ScopeSet, membersOf?: (group: string) => ReadonlySet<string>): boolean {
    const kept = new Set(this.intersect(other, membersOf).toStrings())
    return this.toStrings().every((text) => kept.has(text))
  }

  /** The scopes as text, sorted. */
  toStrings(): string[] {
    const texts: string[] = []
    for (const [name, filters] of this.#scopes) {
      if (filters === 'all') texts.push(name)
      else {
        for (const [kind, values] of Object.entries(filters)) {
          for (const value of values) texts.push(`${name}!${kind}=${value}`)
        }
      }
    }
    return texts.sort()
  }
}

function narrow(mine: Filters, theirs: Filters, membersOf: (group: string) => ReadonlySet<string>): Filters {
  const within = (kind: FilterKind, value: string, outer: Filters): boolean => {
    if (outer[kind]?.has(value) === true) return true
    const user = kind === 'user' ? value : kind === 'server' ? value.split('/', 1)[0] : undefined
    if (user === undefined) return false
    if (kind === 'server' && outer.user?.has(user) === true) return true
    return [...(outer.group ?? [])].some((group) => membersOf(group).has(user))
  }
  const both: Partial<Record<FilterKind, Set<string>>> = {}
  for (const [inner, outer] of [
    [mine, theirs],
    [theirs, mine],
  ] as const) {
    for (const [kind, values] of Object.entries(inner) as [FilterKind, ReadonlySet<string>][]) {
      for (const value of values) if (within(kind, value, outer)) (both[kind] ??= new Set()).add(value)
    }
  }
  return both
}
