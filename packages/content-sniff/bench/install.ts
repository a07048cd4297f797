// What `npm install` of the packed package puts on a disk; fails beyond the limits.
// Usage: pnpm --filter @org/content-sniff build && … check:pkg && … bench:install
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const MOST_BYTES = 800_000
const MOST_PACKAGES = 8

const tarball = path.resolve(import.meta.dirname, '../.pack/package.tgz')
const folder = mkdtempSync(path.join(tmpdir(), 'content-sniff-install-'))
try {
  writeFileSync(path.join(folder, 'package.json'), '{"private":true}')
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', tarball], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const modules = path.join(folder, 'node_modules')
  const files = globSync('**/*', { cwd: modules })
    .map((file) => ({ file, stats: statSync(path.join(modules, file)) }))
    .filter(({ file, stats }) => stats.isFile() && !file.startsWith('.'))
  // A package's own manifest lies one folder below node_modules, or two with a scope.
  const manifests = files
    .map(({ file }) => file)
    .filter((file) => /(?:^|node_modules\/)(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(path.join(modules, file), 'utf8')) as Manifest)
  const scripted = manifests.filter(
    ({ scripts = {} }) => 'preinstall' in scripts || 'install' in scripts || 'postinstall' in scripts,
  )
  const bytes = files.reduce((sum, { stats }) => sum + stats.size, 0)
  const onDisk = files.reduce((sum, { stats }) => sum + stats.blocks * 512, 0)
  console.log(
    `${manifests.length} packages (${manifests.map(({ name, version }) => `${name} ${version}`).join(', ')}), ${files.length} files, ${(bytes / 1e6).toFixed(2)} MB in them, ${(onDisk / 1e6).toFixed(2)} MB of disk blocks, ${scripted.length} with install scripts`,
  )
  if (manifests.length > MOST_PACKAGES || onDisk > MOST_BYTES || scripted.length > 0) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly scripts?: Readonly<Record<string, string>>
}
