import { expect, test } from 'vitest'

import { refusals, requiredBump } from './api-guard.ts'

const report = (...items: readonly (readonly [name: string, text: string])[]) =>
  ['# Public types', '## `@org/a`', ...items.map(([name, text]) => `### ${name}\n\n\`\`\`ts\n${text}\n\`\`\``)].join(
    '\n\n',
  )

const base = report(['one', 'function one(): void'], ['Options', 'interface Options {\n  a: string\n}'])

const change = (over: Partial<Parameters<typeof refusals>[0][number]>) => ({
  name: '@org/a',
  version: '1.2.3',
  changed: true,
  reportBefore: base,
  reportAfter: base,
  asked: 'none' as const,
  ...over,
})

test.each([
  ['nothing', { changed: false }, 'none'],
  ['only the inside', {}, 'patch'],
  ['an export came', { reportAfter: `${base}\n\n### two\n\nfunction two(): void` }, 'minor'],
  ['an optional member came', { reportAfter: base.replace('a: string', 'a: string\n  b?: string') }, 'minor'],
  ['an export went', { reportAfter: report(['one', 'function one(): void']) }, 'major'],
  ['a type changed', { reportAfter: base.replace('a: string', 'a: number') }, 'major'],
  ['an export went before 1.0', { version: '0.4.0', reportAfter: report(['one', 'function one(): void']) }, 'minor'],
  [
    'items moved',
    { reportAfter: report(['Options', 'interface Options {\n  a: string\n}'], ['one', 'function one(): void']) },
    'patch',
  ],
] as const)('when %s the release is at least the right size', (_, over, expected) => {
  expect(requiredBump(change(over))).toBe(expected)
})

test('a patch-level change without a changeset is refused', () => {
  expect(refusals([change({})])).toEqual([
    '@org/a changed: it needs a patch changeset, and no changeset names it. Run `npx pnpm changeset`.',
  ])
})

test('a removed export with a patch changeset is refused', () => {
  const after = report(['one', 'function one(): void'])
  expect(refusals([change({ reportAfter: after, asked: 'patch' })])).toEqual([
    '@org/a changed its public types: it needs a major changeset, and its changeset says patch. Run `npx pnpm changeset`.',
  ])
})

test('a changeset of the right size or larger is accepted', () => {
  expect(refusals([change({ asked: 'patch' }), change({ asked: 'major' })])).toEqual([])
})
