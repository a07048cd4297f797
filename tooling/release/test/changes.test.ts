import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { refusals } from '../src/api-guard.ts'
import { changesSince } from '../src/changes.ts'
import { publishedPackages } from '../src/packages.ts'

let root: string

const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: root, stdio: 'ignore' })
const write = (file: string, text: string) => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}
const report = (...names: readonly string[]) =>
  names.map((name) => `### ${name}\n\nfunction ${name}(): void\n`).join('\n')
const check = () => refusals(changesSince(root, 'main', publishedPackages(root)))

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'release-'))
  git('init', '--initial-branch=main')
  git('config', 'user.email', 'test@example.org')
  git('config', 'user.name', 'test')
  write('packages/a/package.json', JSON.stringify({ name: '@org/a', version: '0.3.0', exports: {} }))
  write('packages/a/src/index.ts', 'export const one = 1\n')
  write('packages/a/api-report.md', report('one', 'two'))
  git('add', '.')
  git('commit', '-m', 'base')
  git('switch', '-c', 'change')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

test('nothing changed, nothing is asked for', () => {
  expect(check()).toEqual([])
})

test('a change of sources without a changeset is refused, committed or not', () => {
  write('packages/a/src/index.ts', 'export const one = 2\n')
  expect(check()).toHaveLength(1)
  git('commit', '-am', 'change')
  expect(check()[0]).toContain('no changeset names it')
  write('.changeset/a.md', '---\n"@org/a": patch\n---\n\nOne is two.\n')
  expect(check()).toEqual([])
})

test('tests and reports alone ask for nothing', () => {
  write('packages/a/src/index.test.ts', 'export {}\n')
  write('packages/a/test/more.test.ts', 'export {}\n')
  expect(check()).toEqual([])
})

test('a removed export with a patch changeset is refused, with a minor one accepted before 1.0', () => {
  write('packages/a/src/index.ts', 'export {}\n')
  write('packages/a/api-report.md', report('one'))
  write('.changeset/a.md', '---\n"@org/a": patch\n---\n\nTwo is gone.\n')
  expect(check()[0]).toContain('changed its public types')
  write('.changeset/b.md', '---\n"@org/a": minor\n---\n\nTwo is gone; use one.\n')
  expect(check()).toEqual([])
})
