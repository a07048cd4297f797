import { describe, expect, test } from 'vitest'

import { authorizeTrashed, parseTrashedParameters, type TrashedFeature, TrashedRequestError } from './index.ts'

const ALL: readonly TrashedFeature[] = ['with', 'only', 'permanent']

const parse = (query: string, accept: readonly TrashedFeature[] = ALL) =>
  parseTrashedParameters(new URLSearchParams(query), { accept })

const CHOICES = {
  '': 'without',
  'with_trashed=true': 'with',
  'only_trashed=true': 'only',
  'filter[trashed]=with': 'with',
  'filter[trashed]=only': 'only',
} as const

describe('every combination', () => {
  const names = Object.keys(CHOICES) as (keyof typeof CHOICES)[]
  const queryOf = (...parts: readonly string[]) => [...parts, 'page[size]=5'].filter((part) => part !== '').join('&')
  const single = names.flatMap((name) => [
    { query: queryOf(name), trashed: CHOICES[name], permanent: false },
    { query: queryOf(name, 'permanent=true'), trashed: CHOICES[name], permanent: true },
    { query: queryOf('permanent=true', name), trashed: CHOICES[name], permanent: true },
  ])
  const double = names.flatMap((first) =>
    names
      .filter((second) => first !== '' && second !== '')
      .flatMap((second) => [queryOf(first, second), queryOf(first, 'permanent=true', second)]),
  )

  test.each(single)('$query is $trashed, permanent: $permanent', ({ query, trashed, permanent }) => {
    expect(parse(query)).toEqual({ trashed, permanent })
  })

  test.each(double)('%s is a 400: two parameters choose the rows', (query) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ status: 400, code: 'SOFT_DELETE_BAD_PARAMETER' }))
  })
})

describe('every bad value', () => {
  const names = ['with_trashed', 'only_trashed', 'permanent', 'filter[trashed]']
  const values = [
    '',
    'false',
    'True',
    'TRUE',
    '1',
    'yes',
    'on',
    ' true',
    'true ',
    'true,true',
    'null',
    'without',
    'toString',
    '__proto__',
  ]

  test.each(names.flatMap((name) => values.map((value) => [name, value] as const)))('%s=%j is a 400', (name, value) => {
    const bad = () => parse(new URLSearchParams([[name, value]]).toString())
    expect(bad).toThrow(TrashedRequestError)
    expect(bad).toThrow(expect.objectContaining({ status: 400, parameter: name }))
  })

  test.each([
    ['with_trashed', 'with'],
    ['with_trashed', 'only'],
    ['permanent', 'with'],
    ['filter[trashed]', 'true'],
    ['filter[trashed]', 'permanent'],
  ])('%s=%s is a 400: the value belongs to another parameter', (name, value) => {
    expect(() => parse(`${name}=${value}`)).toThrow(expect.objectContaining({ status: 400, parameter: name }))
  })

  test.each(names)('%s given twice is a 400', (name) => {
    const value = name === 'filter[trashed]' ? 'with' : 'true'
    expect(() => parse(`${name}=${value}&${name}=${value}`)).toThrow(
      expect.objectContaining({ status: 400, parameter: name }),
    )
  })

  test.each([
    ['with_trashed=true', ['only', 'permanent']],
    ['only_trashed=true', ['with', 'permanent']],
    ['filter[trashed]=with', ['only']],
    ['filter[trashed]=only', ['with']],
    ['permanent=true', ['with', 'only']],
    ['with_trashed=true', []],
  ] as const)('%s is a 400 where only %j is accepted', (query, accept) => {
    expect(() => parse(query, accept)).toThrow(expect.objectContaining({ status: 400 }))
    expect(parse('', accept)).toEqual({ trashed: 'without', permanent: false })
  })

  test('a message repeats no value that came in', () => {
    expect(() => parse('with_trashed=%3Cscript%3E')).toThrow(/^Expected `with_trashed` to be true$/)
  })
})

describe('permission', () => {
  test('nobody is asked about a plain request', async () => {
    await authorizeTrashed(parse(''), () => {
      throw new Error('asked')
    })
  })

  test.each([
    ['with_trashed=true', ['with']],
    ['filter[trashed]=only', ['only']],
    ['permanent=true', ['permanent']],
    ['only_trashed=true&permanent=true', ['only', 'permanent']],
  ])('%s asks for %j', async (query, wanted) => {
    const asked: TrashedFeature[] = []
    await authorizeTrashed(parse(query), (feature) => {
      asked.push(feature)
      return Promise.resolve('allow')
    })
    expect(asked).toEqual(wanted)
  })

  test.each([
    ['forbid', 403, 'SOFT_DELETE_FORBIDDEN'],
    ['unauthenticated', 401, 'SOFT_DELETE_UNAUTHENTICATED'],
  ] as const)('%s is a %i', async (decision, status, code) => {
    await expect(authorizeTrashed(parse('permanent=true'), () => decision)).rejects.toThrow(
      expect.objectContaining({ status, code, parameter: 'permanent' }),
    )
  })
})
