/**
 * Installs each packed package into an empty npm project and loads every entry as a stranger would: `import` and
 * `require` on each supported Node, and each command with `--help`. Reads the tarballs that `check:pkg` wrote.
 */
import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { parse } from 'yaml'

const run = promisify(execFile)
const root = path.dirname(import.meta.dirname)

/** The Node lines that the packages support, as the platform packages of npm's `node`. */
const nodeVersions = ['22.18.0', '24.21.0', '26.9.0'] as const

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const { catalog } = parse(readFileSync(path.join(root, 'pnpm-workspace.yaml'), 'utf8')) as {
  readonly catalog: Readonly<Record<string, string>>
}

async function npmInstall(folder: string, specifiers: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', ...specifiers], {
    cwd: folder,
  })
}

/** Keeps each Node in the ignored state folder, so that only the first run downloads it. */
async function nodeBinary(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = path.join(root, '.data', 'nodes', version)
  const binary = path.join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) await npmInstall(folder, [`${name}@${version}`])
  return binary
}

async function checkPackage(dir: string, nodes: readonly string[]): Promise<void> {
  const manifest = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as Manifest
  const folder = mkdtempSync(path.join(tmpdir(), 'install-'))
  try {
    const peers = Object.entries(manifest.peerDependencies ?? {}).map(
      ([name, range]) => `${name}@${catalog[name] ?? range}`,
    )
    await npmInstall(folder, [path.join(dir, '.pack', 'package.tgz'), ...peers])
    const entries = Object.keys(manifest.exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => path.posix.join(manifest.name, entry))
    // One process a Node and module system: a class must also be the same one through both doors.
    writeFileSync(
      path.join(folder, 'load.cjs'),
      `const entries = ${JSON.stringify(entries)}
      const load = async () => {
        for (const entry of entries) {
          const required = require(entry)
          const imported = await import(entry)
          if (Object.keys(imported).length === 0) throw new Error(entry + ' exports nothing')
          for (const name of Object.keys(imported)) {
            if (required[name] !== imported[name]) throw new Error(entry + ' has two copies of ' + name)
          }
        }
      }
      load().catch((error) => { console.error(error); process.exitCode = 1 })\n`,
    )
    writeFileSync(
      path.join(folder, 'load.mjs'),
      entries.map((entry, index) => `import * as entry${index} from '${entry}'\n`).join('') +
        `if (${entries.map((_, index) => `Object.keys(entry${index}).length`).join(' * ')} === 0) process.exitCode = 1\n`,
    )
    for (const node of nodes) {
      await run(node, ['load.cjs'], { cwd: folder })
      await run(node, ['load.mjs'], { cwd: folder })
      for (const command of Object.keys(manifest.bin ?? {})) {
        await run(node, [path.join('node_modules', '.bin', command), '--help'], { cwd: folder })
      }
    }
    const commands = Object.keys(manifest.bin ?? {}).length
    console.log(`${manifest.name}: ${entries.length} entries, ${commands} commands, ${nodes.length} Node versions`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const nodes = await Promise.all(nodeVersions.map(nodeBinary))
const failures: string[] = []
for (const dir of globSync('packages/*', { cwd: root }).sort()) {
  try {
    await checkPackage(path.join(root, dir), nodes)
  } catch (error) {
    failures.push(dir)
    console.error(`${dir}: ${(error as Error).message}\n${(error as { stderr?: string }).stderr ?? ''}`)
  }
}
if (failures.length > 0) {
  console.error(`Not installable as packed: ${failures.join(', ')}`)
  process.exitCode = 1
}
