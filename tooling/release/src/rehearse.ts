/**
 * `pnpm release:rehearse`: publishes the packed packages to a registry of our own, then acts as their users: installs each
 * by name into an empty project with npm, pnpm and yarn, and runs the README's first program as an ES module and as
 * CommonJS on each supported Node, and through each supported TypeScript.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { type PublishedPackage, publishedPackages } from './packages.ts'
import { nodeBinary, type PackageManager, Project } from './project.ts'
import { type QuickStart, quickStart } from './quick-start.ts'
import { startRegistry } from './registry.ts'
import { startSurroundings, type Surroundings } from './surroundings.ts'
import { catalogVersion, nodeVersions, root, upstream } from './workspace.ts'

const typescripts = ['5.9.3', '6.0.3', '7.0.2'] as const

const pinned = (name: string) => {
  const version = catalogVersion(name)
  return version === undefined ? name : `${name}@${version}`
}

async function publish(registry: string, item: PublishedPackage): Promise<void> {
  using project = new Project(registry)
  project.write('.npmrc', `registry=${registry}\n${registry.replace('http:', '')}:_authToken=rehearsal\n`)
  const tarball = path.join(item.dir, '.pack', 'package.tgz')
  await project.run('npm', ['publish', tarball, '--access', 'public', '--loglevel=error', '--tag', 'latest'])
}

/** What the README's reader has in the project: what it says to install, and what the program imports beside it. */
function specifiers(item: PublishedPackage, start: QuickStart): string[] {
  if (!start.installed.includes(item.name)) throw new Error(`Expected the README to install ${item.name}`)
  return [...new Set([...start.installed, ...start.packages])].map((name) => (name === item.name ? name : pinned(name)))
}

async function rehearse(
  registry: string,
  item: PublishedPackage,
  nodes: ReadonlyMap<string, string>,
  surroundings: Surroundings,
): Promise<void> {
  const start = quickStart(readFileSync(path.join(item.dir, 'README.md'), 'utf8'))
  const wanted = specifiers(item, start)
  for (const manager of ['npm', 'pnpm', 'yarn'] satisfies PackageManager[]) {
    using project = new Project(registry)
    await project.install(manager, wanted)
    project.write('quick-start.mts', start.source)
    project.write('quick-start.cts', start.commonjs)
    for (const [version, node] of manager === 'npm' ? nodes : [...nodes].slice(1, 2)) {
      for (const file of ['quick-start.mts', 'quick-start.cts']) {
        await project.run(node, [file], { ...(await surroundings.fresh()), NODE_NO_WARNINGS: '1' })
        console.log(`${item.name}: ${manager}, Node ${version}, ${file}`)
      }
    }
    if (manager === 'npm') await compile(project, item, start)
  }
}

async function compile(project: Project, item: PublishedPackage, start: QuickStart): Promise<void> {
  const types = start.packages.map((name) => `@types/${name}`).filter((name) => catalogVersion(name) !== undefined)
  await project.install('npm', [
    ...typescripts.map((version) => `typescript-${version}@npm:typescript@${version}`),
    ...['@types/node', ...types].map(pinned),
  ])
  project.write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        target: 'es2022',
        lib: ['es2024', 'esnext.disposable'],
        module: 'nodenext',
        types: ['node'],
        strict: true,
        noEmit: true,
        skipLibCheck: true,
      },
      files: ['quick-start.mts'],
    }),
  )
  for (const version of typescripts) {
    await project.run(process.execPath, [path.join('node_modules', `typescript-${version}`, 'bin', 'tsc')])
    console.log(`${item.name}: TypeScript ${version}`)
  }
}

const packages = publishedPackages(root).filter(({ name }) => {
  const only = process.argv.slice(2)
  return only.length === 0 || only.includes(name)
})
const nodes = new Map<string, string>()
for (const version of nodeVersions) nodes.set(version, await nodeBinary(path.join(root, '.data', 'nodes'), version))
await using registry = await startRegistry(upstream)
await using surroundings = await startSurroundings()
const failures: string[] = []
for (const item of packages) await publish(registry.url, item)
const waiting = [...packages]
/** Two packages at once: most of a rehearsal is waiting for a registry or a process to start. */
const lane = async () => {
  for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
    try {
      await rehearse(registry.url, item, nodes, surroundings)
    } catch (error) {
      failures.push(item.name)
      console.error(`✖ ${item.name}: ${(error as Error).message}`)
    }
  }
}
await Promise.all([lane(), lane()])
if (failures.length > 0) {
  console.error(`Not ready for strangers: ${failures.join(', ')}`)
  process.exitCode = 1
}
