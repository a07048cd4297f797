import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** What a figure is compared with. */
export interface Peer {
  readonly name: string
  readonly version: string
}

/**
 * Names an installed npm package and the version in use.
 *
 * @param from - `import.meta.url` of the bench, whose dependency it is.
 * @throws Error when the bench cannot import it.
 */
export function peer(name: string, from: string): Peer {
  const manifest = findPackageJSON(name, from)
  if (manifest === undefined) throw new Error(`Expected ${name} to be installed for ${from}`)
  return { name, version: (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version }
}
