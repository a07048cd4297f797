/** The program that a README shows first, in the three forms that its readers type it in. */
export interface QuickStart {
  /** As it stands: TypeScript in an ES module. */
  readonly source: string
  /** The same with `require` and without types, for a CommonJS project. */
  readonly commonjs: string
  /** Packages that it imports, without Node's own, in order of appearance. */
  readonly packages: readonly string[]
  /** Packages that the README tells its reader to install. */
  readonly installed: readonly string[]
}

const importLine = /^import (type )?(?:(\w+)|\* as (\w+)|\{([^}]*)\}) from '([^']+)'$/gm

/**
 * Takes the first `ts` block of a README.
 *
 * @throws Error when there is none, or when it holds an import that cannot be turned into a `require`.
 */
export function quickStart(readme: string): QuickStart {
  const [, source] = /^```ts[^\n]*\n(.*?)^```$/ms.exec(readme) ?? []
  if (source === undefined) throw new Error('Expected the README to begin with a `ts` block, found none')
  const packages = new Set<string>()
  const requires: string[] = []
  const body = source.replace(importLine, (_, typeOnly, fallback, all, names: string | undefined, from: string) => {
    if (!from.startsWith('node:')) packages.add(packageOf(from))
    if (typeOnly !== undefined) return ''
    if (fallback !== undefined) requires.push(`const ${fallback} = ((m) => m.default ?? m)(require('${from}'))`)
    else if (all !== undefined) requires.push(`const ${all} = require('${from}')`)
    else requires.push(`const {${values(names ?? '')}} = require('${from}')`)
    return ''
  })
  if (/^import /m.test(body)) throw new Error('Expected each import of the first block to stand on a line of its own')
  return {
    source,
    commonjs: `${requires.join('\n')}\nvoid (async () => {\n${body.trim().replace(/^export (?=const|function|class)/gm, '')}\n})()\n`,
    packages: [...packages],
    installed: installed(readme),
  }
}

/** Names behind `npm install` in the first block that has it, without comments. */
function installed(readme: string): string[] {
  const [, block = ''] = /^```sh\n(?=[^`]*^npm install)(.*?)^```$/ms.exec(readme) ?? []
  return [...block.matchAll(/^npm install ([^#\n]*)/gm)].flatMap(([, names = '']) => names.trim().split(/\s+/))
}

const values = (names: string) =>
  names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => ` ${name.replace(' as ', ': ')}`)
    .join(',')
    .concat(' ')

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
