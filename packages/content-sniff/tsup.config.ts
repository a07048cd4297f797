import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { defineConfig, type Options } from 'tsup'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** file-type's inflater logs through `debug`, which brings a second package and a look at the environment. */
const silent: Plugin = {
  name: 'silent',
  setup: (build) => {
    build.onResolve({ filter: /^debug$/ }, () => ({ path: 'debug', namespace: 'silent' }))
    build.onLoad({ filter: /.*/, namespace: 'silent' }, () => ({
      contents: 'export default () => () => undefined',
    }))
  },
}

/** Writes down whose code is compiled in: its licences ask for it, and so does anyone who looks for a fixed version. */
const licences: Plugin = {
  name: 'licences',
  setup: (build) => {
    build.initialOptions.metafile = true
    build.onEnd(({ metafile }) => {
      const roots = Object.keys(metafile?.inputs ?? {}).map(
        (input) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0],
      )
      const notices = [...new Set(roots)].filter((root) => root !== undefined).map(notice)
      if (notices.length === 0) return
      // In a fresh clone this is the first file there.
      mkdirSync('dist', { recursive: true })
      writeFileSync('dist/third-party.txt', `${notices.sort().join('\n\n---\n\n')}\n`)
    })
  },
}

function notice(root: string): string {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  const file = readdirSync(root).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? '' : `\n\n${readFileSync(path.join(root, file), 'utf8').trim()}`
  return `${name} ${version}, ${license}${text}`
}

export default defineConfig({
  entry: { index: 'src/index.ts', s3: 'src/s3.ts', deep: 'src/deep.ts', cli: 'src/cli/main.ts' },
  format: 'esm',
  target: 'node22',
  clean: true,
  removeNodeProtocol: false,
  esbuildPlugins: [silent, licences],
})
