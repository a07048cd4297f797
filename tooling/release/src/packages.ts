import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** A package of the workspace that strangers install. */
export interface PublishedPackage {
  readonly name: string
  readonly version: string
  /** Absolute folder. */
  readonly dir: string
  /** Folder relative to the repository, with forward slashes. */
  readonly folder: string
  readonly peers: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  /** Entry as callers write it, to its built declarations. */
  readonly declarations: ReadonlyMap<string, string>
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, { readonly types: string } | string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Lists the packages that are published, in the order of their folders. */
export function publishedPackages(root: string): PublishedPackage[] {
  return globSync('packages/*/package.json', { cwd: root })
    .sort()
    .map((file) => {
      const manifest = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Manifest
      const folder = path.posix.dirname(file)
      const dir = path.join(root, folder)
      const declarations = Object.entries(manifest.exports).flatMap(([entry, target]) =>
        typeof target === 'string'
          ? []
          : [[path.posix.join(manifest.name, entry), path.join(dir, target.types)] as const],
      )
      return {
        name: manifest.name,
        version: manifest.version,
        dir,
        folder,
        peers: manifest.peerDependencies ?? {},
        dependencies: manifest.dependencies ?? {},
        bin: manifest.bin ?? {},
        declarations: new Map(declarations),
      }
    })
}
