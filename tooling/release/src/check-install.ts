/**
 * `pnpm check:install`: installs each packed package into an empty npm project and loads every entry as a stranger
 * would: `import` and `require` on each supported Node, and each command with `--help`. Reads the tarballs that
 * `check:pkg` wrote.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { type PublishedPackage, publishedPackages } from './packages.ts'
import { nodeBinary, Project } from './project.ts'
import { catalogVersion, nodeVersions, root, upstream } from './workspace.ts'

async function checkPackage(item: PublishedPackage, nodes: readonly string[]): Promise<void> {
  using project = new Project(upstream)
  const peers = Object.entries(item.peers).map(([name, range]) => `${name}@${catalogVersion(name) ?? range}`)
  await project.install('npm', [path.join(item.dir, '.pack', 'package.tgz'), ...peers])
  const entries = [...item.declarations.keys()]
  // Through both doors a class must be the same one, or `instanceof` lies.
  project.write(
    'load.cjs',
    `const load = async () => {
      for (const entry of ${JSON.stringify(entries)}) {
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
  // What a package wants tried on every Node, by its own hand.
  const trial = path.join(item.dir, 'test', 'installed.mjs')
  if (existsSync(trial)) project.write('trial.mjs', readFileSync(trial, 'utf8'))
  project.write('load.mjs', entries.map((entry, index) => `import * as entry${index} from '${entry}'\n`).join(''))
  for (const node of nodes) {
    for (const file of ['load.mjs', 'load.cjs']) await project.run(node, [file])
    if (existsSync(trial)) await project.run(node, ['trial.mjs'])
    for (const command of Object.keys(item.bin)) {
      await project.run(node, [path.join('node_modules', '.bin', command), '--help'])
    }
  }
  console.log(
    `${item.name}: ${entries.length} entries, ${Object.keys(item.bin).length} commands, ${nodes.length} Node versions`,
  )
}

// Side by side: most of the time goes into waiting for the registry.
const nodes = await Promise.all(nodeVersions.map((version) => nodeBinary(path.join(root, '.data', 'nodes'), version)))
const packages = publishedPackages(root)
const results = await Promise.allSettled(packages.map((item) => checkPackage(item, nodes)))
const failures = packages.filter((item, index) => {
  const result = results[index]
  if (result?.status !== 'rejected') return false
  console.error(`✖ ${item.name}: ${(result.reason as Error).message}`)
  return true
})
if (failures.length > 0) {
  console.error(`Not installable as packed: ${failures.map(({ name }) => name).join(', ')}`)
  process.exitCode = 1
}
