import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { parse } from 'yaml'

import { type Bump, bumps, type PackageChange } from './api-guard.ts'
import type { PublishedPackage } from './packages.ts'

/** The report's file name inside a package folder; not part of the tarball. */
export const reportFile = 'api-report.md'

/** What of a package's folder reaches its users. */
function isShipped(file: string): boolean {
  const [, , top = '', ...rest] = file.split('/')
  if (top === 'package.json' || top === 'README.md' || top === 'LICENSE' || top === 'tsup.config.ts') return true
  return top === 'src' && !/\.test(-d)?\.ts$/.test(rest.join('/'))
}

/**
 * Compares the checkout, committed or not, with a base revision.
 *
 * @param base - A git revision; the change is counted from where the checkout left it.
 * @throws Error when git does not know the revision.
 */
export function changesSince(root: string, base: string, packages: readonly PublishedPackage[]): PackageChange[] {
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const from = git('merge-base', base, 'HEAD').trim()
  const listed = (text: string) => text.split('\0').filter((line) => line !== '')
  const files = [
    ...listed(git('diff', '--name-only', '-z', from, '--')),
    ...listed(git('ls-files', '--others', '--exclude-standard', '-z')),
  ]
  const asked = askedBumps(
    root,
    files.filter((file) => /^\.changeset\/(?!README)[^/]+\.md$/.test(file)),
  )
  return packages.map((item) => ({
    name: item.name,
    version: item.version,
    changed: files.some((file) => file.startsWith(`${item.folder}/`) && isShipped(file)),
    reportBefore: fileAt(git, from, `${item.folder}/${reportFile}`),
    reportAfter: read(path.join(item.dir, reportFile)),
    asked: asked.get(item.name) ?? 'none',
  }))
}

function askedBumps(root: string, files: readonly string[]): ReadonlyMap<string, Bump> {
  const asked = new Map<string, Bump>()
  for (const file of files) {
    const [, front = ''] = /^---\n(.*?)\n---/s.exec(read(path.join(root, file))) ?? []
    for (const [name, bump] of Object.entries((parse(front) ?? {}) as Record<string, Bump>)) {
      if (bumps.indexOf(bump) > bumps.indexOf(asked.get(name) ?? 'none')) asked.set(name, bump)
    }
  }
  return asked
}

function fileAt(git: (...args: readonly string[]) => string, revision: string, file: string): string {
  try {
    return git('show', `${revision}:${file}`)
  } catch {
    return ''
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
