/**
 * Every scope and the scopes it contains, as JupyterHub 3.0 defines them (`jupyterhub/scopes.py`, read 2026-11).
 *
 * `self` and `inherit` are not here: they stand for other scopes and are replaced when a token is used.
 */
const contains: Readonly<Record<string, readonly string[]>> = {
  'admin-ui': [],
  'admin:users': ['admin:auth_state', 'users', 'read:roles:users', 'delete:users'],
  'admin:auth_state': [],
  users: ['read:users', 'list:users', 'users:activity'],
  'delete:users': [],
  'list:users': ['read:users:name'],
  'read:users': ['read:users:name', 'read:users:groups', 'read:users:activity'],
  'read:users:name': [],
  'read:users:groups': [],
  'read:users:activity': [],
  'read:roles': ['read:roles:users', 'read:roles:services', 'read:roles:groups'],
  'read:roles:users': [],
  'read:roles:services': [],
  'read:roles:groups': [],
  'users:activity': ['read:users:activity'],
  'admin:servers': ['admin:server_state', 'servers'],
  'admin:server_state': [],
  servers: ['read:servers', 'delete:servers'],
  'read:servers': ['read:users:name'],
  'delete:servers': [],
  tokens: ['read:tokens'],
  'read:tokens': [],
  'admin:groups': ['groups', 'read:roles:groups', 'delete:groups'],
  groups: ['read:groups', 'list:groups'],
  'list:groups': ['read:groups:name'],
  'read:groups': ['read:groups:name'],
  'read:groups:name': [],
  'delete:groups': [],
  'list:services': ['read:services:name'],
  'read:services': ['read:services:name'],
  'read:services:name': [],
  'read:hub': [],
  'access:servers': [],
  'access:services': [],
  proxy: [],
  shutdown: [],
  'read:metrics': [],
}

/** Scopes that stand for others: a user's own rights, and all rights of a token's owner. */
const META_SCOPES: ReadonlySet<string> = new Set(['self', 'inherit'])

/** What a user may do with things of his own, each limited to him. */
const SELF_SCOPES: readonly string[] = [
  'read:users',
  'read:users:name',
  'read:users:groups',
  'users:activity',
  'read:users:activity',
  'servers',
  'delete:servers',
  'read:servers',
  'tokens',
  'read:tokens',
  'access:servers',
]

/** Tells whether a scope text names a known scope with a known filter. */
export function isScope(text: string): boolean {
  const [name = '', filter] = text.split(/!(.*)/s)
  if (META_SCOPES.has(name)) return filter === undefined
  if (!Object.hasOwn(contains, name)) return false
  return filter === undefined || /^(user|service|server)$|^(user|service|group|server)=.+$/s.test(filter)
}

const closures = new Map<string, readonly string[]>()

/** A scope and all that it contains, itself first. */
function closure(name: string): readonly string[] {
  const known = closures.get(name)
  if (known !== undefined) return known
  const all = [...new Set([name, ...(contains[name] ?? []).flatMap(closure)])]
  closures.set(name, all)
  return all
}

/** What a token may always see of its owner, as far as the owner may himself. */
export function identityScopes(owner: ScopeOwner): readonly string[] {
  if (owner.kind === 'service') return [`read:services:name!service=${owner.name}`]
  return [`read:users:name!user=${owner.name}`, `read:users:groups!user=${owner.name}`]
}

/** Whose token it is, and for which server or service it was made. */
export interface ScopeOwner {
  readonly kind: 'user' | 'service'
  readonly name: string
  /** `USER/SERVER` for a token of a single-user server. */
  readonly server?: string
}

/**
 * Writes scopes out: contained scopes are added, `self` is replaced, `!user` becomes `!user=NAME`.
 *
 * A filter that has no target (`!user` for a service) grants nothing.
 */
export function expandScopes(raw: Iterable<string>, owner: ScopeOwner): string[] {
  const expanded = new Set<string>()
  const add = (name: string, filter: string | undefined) => {
    const names = closure(name)
    for (const each of names) expanded.add(filter === undefined ? each : `${each}!${filter}`)
    // Whoever may read something of a server may know whose it is.
    const user = /^server=([^/]+)/s.exec(filter ?? '')?.[1]
    if (user !== undefined && names.some((each) => each.startsWith('read:'))) {
      expanded.add(`read:users:name!user=${user}`)
    }
  }
  for (const text of raw) {
    const [name = '', filter] = text.split(/!(.*)/s)
    if (name === 'self') {
      if (owner.kind === 'user') for (const each of SELF_SCOPES) expanded.add(`${each}!user=${owner.name}`)
    } else if (filter === owner.kind) {
      add(name, `${owner.kind}=${owner.name}`)
    } else if (filter === 'server') {
      if (owner.server !== undefined) add(name, `server=${owner.server}`)
    } else if (filter !== 'user' && filter !== 'service') {
      add(name, filter)
    }
  }
  return [...expanded]
}
