import { describe, expect, test } from 'vitest'

import { expandScopes, isScope } from './definitions.ts'
import { ScopeSet } from './scope-set.ts'

const set = (...texts: string[]) => ScopeSet.of(texts)
const ada = { kind: 'user', name: 'ada' } as const

describe('scopes', () => {
  test.each([
    'users',
    'read:users!user',
    'read:users!user=ada',
    'servers!server=ada/lab',
    'groups!group=a=b',
    'self',
    'inherit',
  ])('%s is known', (text) => {
    expect(isScope(text)).toBe(true)
  })

  test.each(['fly', 'users!colour=red', 'self!user=ada', '', 'users!', 'toString', 'users!user='])(
    '%j is not',
    (text) => {
      expect(isScope(text)).toBe(false)
    },
  )

  test('are written out with all that they contain', () => {
    expect(expandScopes(['admin:servers'], ada).sort()).toEqual(
      ['admin:server_state', 'admin:servers', 'delete:servers', 'read:servers', 'read:users:name', 'servers'].sort(),
    )
    expect(expandScopes(['users:activity!user'], ada)).toEqual([
      'users:activity!user=ada',
      'read:users:activity!user=ada',
    ])
  })

  test('of a user mean nothing for a service', () => {
    expect(expandScopes(['self', 'servers!user'], { kind: 'service', name: 'probe' })).toEqual([])
  })
})

describe('a set of scopes', () => {
  test('reaches what its limits name, and nothing else', () => {
    const held = set('servers!user=ada', 'read:servers!server=bob/lab', 'read:users!group=team', 'proxy')
    expect(held.allows('servers', { user: 'ada', server: 'any' })).toBe(true)
    expect(held.allows('servers', { user: 'adam', server: '' })).toBe(false)
    expect(held.allows('read:servers', { user: 'bob', server: 'lab' })).toBe(true)
    expect(held.allows('read:servers', { user: 'bob', server: '' })).toBe(false)
    expect(held.allows('read:servers', { user: 'bob' })).toBe(false)
    expect(held.allows('read:users', { user: 'eve', groups: ['team'] })).toBe(true)
    expect(held.allows('read:users', { user: 'eve', groups: ['others'] })).toBe(false)
    expect(held.allows('proxy', {})).toBe(true)
    expect(held.allows('shutdown', {})).toBe(false)
  })

  test('a scope without limit outweighs limited ones, in either order', () => {
    expect(set('users!user=ada', 'users').hasAll('users')).toBe(true)
    expect(set('users', 'users!user=ada').hasAll('users')).toBe(true)
  })

  test.each([
    [['servers'], ['servers!user=ada'], ['servers!user=ada']],
    [['servers!user=ada'], ['servers!server=ada/lab'], ['servers!server=ada/lab']],
    [['servers!user=ada'], ['servers!user=bob'], []],
    [['servers!user=a'], ['servers!server=ab/x'], []],
    [['servers!group=team'], ['servers!user=ada'], ['servers!user=ada']],
    [['servers!group=team'], ['servers!server=ada/lab'], ['servers!server=ada/lab']],
    [['servers!group=team'], ['servers!user=eve'], []],
    [['proxy', 'users'], ['users', 'shutdown'], ['users']],
  ])('%j and %j share %j', (one, two, both) => {
    const members = (group: string) => new Set(group === 'team' ? ['ada'] : [])
    expect(
      set(...one)
        .intersect(set(...two), members)
        .toStrings(),
    ).toEqual(both)
    expect(
      set(...two)
        .intersect(set(...one), members)
        .toStrings(),
    ).toEqual(both)
  })

  test('what is shared lies within both', () => {
    const texts = ['users', 'users!user=a', 'users!user=b', 'users!server=a/x', 'servers', 'servers!user=a']
    for (let one = 0; one < 2 ** texts.length; one += 1) {
      for (let two = 0; two < 2 ** texts.length; two += 1) {
        const [a, b] = [one, two].map((bits) => set(...texts.filter((_, index) => (bits >> index) & 1)))
        if (a === undefined || b === undefined) continue
        const both = a.intersect(b)
        expect(both.isWithin(a) && both.isWithin(b)).toBe(true)
      }
    }
  })
})
