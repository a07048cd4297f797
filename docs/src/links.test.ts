import { expect, test } from 'vitest'

import { DeadLink, type Pages, rewriteLinks } from './links.ts'

const pages: Pages = {
  map: new Map([
    ['packages/a/README.md', 'packages/a'],
    ['SECURITY.md', 'security'],
  ]),
  exists: (file) => file === 'packages/a/examples/start.ts' || file === 'LICENSE' || file === 'bench/a.svg',
  picture: (file) => `pictures/${file}`,
  sourceUrl: 'https://example.org/blob/main/',
}

test.each([
  ['README.md', '[a](packages/a)', '[a](/packages/a)'],
  ['README.md', '[a](packages/a/README.md#errors)', '[a](/packages/a#errors)'],
  ['packages/a/README.md', '[s](../../SECURITY.md)', '[s](/security)'],
  ['packages/a/README.md', '[x](examples/start.ts)', '[x](https://example.org/blob/main/packages/a/examples/start.ts)'],
  ['packages/a/README.md', '![x](../../bench/a.svg)', '![x](/pictures/bench/a.svg)'],
  [
    'packages/a/README.md',
    '[![x](../../bench/a.svg)](../../SECURITY.md#b)',
    '[![x](/pictures/bench/a.svg)](/security#b)',
  ],
  ['README.md', '[x](#here) [y](https://example.org)', '[x](#here) [y](https://example.org)'],
  ['README.md', '```md\n[a](nowhere)\n```', '```md\n[a](nowhere)\n```'],
])('in %s %j becomes %j', (from, text, expected) => {
  expect(rewriteLinks(text, from, pages)).toBe(expected)
})

test('a link that leads nowhere stops the build and names page and target', () => {
  expect(() => rewriteLinks('[a](gone.md)', 'README.md', pages)).toThrow(
    new DeadLink('README.md: the link to gone.md leads nowhere'),
  )
})
