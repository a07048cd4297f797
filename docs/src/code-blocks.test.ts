import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

import { examplesFolder, type Repository, unproven } from './code-blocks.ts'

const root = path.join(import.meta.dirname, '../..')
const text = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** Examples that a test of the same folder runs: it names them, or goes through all of them. */
const examplesOf = (page: string) => {
  const folder = examplesFolder(page)
  const tests = globSync(`${path.posix.dirname(folder)}/test/**/*.test.ts`, { cwd: root }).map(text)
  return globSync(`${folder}/*`, { cwd: root })
    .filter((file) =>
      tests.some((source) => source.includes(path.parse(file).name) || /readdir\(.*'examples'/.test(source)),
    )
    .map(text)
}

const pages = globSync(['*.md', '{bench,deploy}/*.md', '{packages,apps}/*/{,docs/}*.md', 'docs/{guide,design}/*.md'], {
  cwd: root,
})
  .filter((file) => !/(CHANGELOG|api-report)\.md$/.test(file))
  .sort()

test.each(pages)('%s shows no code that nobody vouches for', (page) => {
  expect(unproven(page, text(page), { exists: (file) => existsSync(path.join(root, file)), examplesOf })).toEqual([])
})

const repository: Repository = {
  exists: (file) => file === '.ci/run',
  examplesOf: () => ['import { a } from "a"\n\nif (a) {\n  b()\n}\n'],
}
const block = (language: string, code: string, before = '') => `# t\n${before}\n\`\`\`${language}\n${code}\n\`\`\`\n`
const complaint = expect.stringMatching(/^a\.md:\d+: nothing executes this block/)

test.each([
  ['part of an example', block('ts', 'if (a) {\n  b()\n}'), []],
  ['an example with its name', block('ts', '// examples/a.ts\nimport { a } from "a"'), []],
  ['no part of an example', block('ts', 'c()'), [complaint]],
  ['a command', block('sh', 'rm -r x'), [complaint]],
  ['a command that a file executes', block('sh', 'npm test', '<!-- executed by .ci/run -->\n'), []],
  [
    'a command whose file is gone',
    block('sh', 'npm test', '<!-- executed by gone.ts -->\n'),
    ['a.md:4: gone.ts, which should execute it, is not there'],
  ],
  ['a reason', block('sh', 'x', '<!-- not executed: it needs a domain of yours -->\n\n'), []],
  ['an empty reason', block('sh', 'x', '<!-- not executed:  -->\n'), [complaint]],
  ['a reason for another block', `<!-- not executed: y -->\n${block('sh', 'x', 'and')}`, [complaint]],
  ['output and pictures', block('', 'x') + block('console', 'x') + block('mermaid', 'x'), []],
  ['an indented block', '1. a\n   ```sh\n   x\n   ```\n', [complaint]],
])('%s', (_, page, expected) => {
  expect(unproven('a.md', page, repository)).toEqual(expected)
})
