import { readFileSync } from 'node:fs'
import path from 'node:path'

import { parse } from 'yaml'

/** Folder of the repository. */
export const root = path.resolve(import.meta.dirname, '../../..')

/** The Node lines that the packages support: the oldest release promised, the pinned one, the newest line. */
export const nodeVersions = ['22.18.0', '24.21.0', '26.9.0'] as const

/** Registry that everything but our own packages comes from. */
export const upstream = process.env['npm_config_registry'] ?? 'https://registry.npmjs.org/'

const { catalog } = parse(readFileSync(path.join(root, 'pnpm-workspace.yaml'), 'utf8')) as {
  readonly catalog: Readonly<Record<string, string>>
}

/** Version that the workspace pins a package to, `undefined` when it does not use it. */
export const catalogVersion = (name: string): string | undefined => catalog[name]
