/** Brings the Markdown that lives beside the code into the site's folders, with links that hold there. */
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { rewriteLinks } from './links.ts'

const docs = path.dirname(import.meta.dirname)
const root = path.dirname(docs)

/** Path in the repository, to its place on the site. */
function placeOf(file: string): string {
  if (!file.includes('/')) return `about/${file.replace(/\.md$/, '').toLowerCase()}`
  if (file === 'bench/README.md') return 'about/benchmarks'
  const [area = '', name = '', ...rest] = file.split('/')
  if (rest.join('/') === 'README.md') return `${area}/${name}`
  return `${area}/${name}-${rest.at(-1)?.replace(/\.md$/, '').toLowerCase()}`
}

const files = [
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/README.md',
  ...globSync('{packages,apps}/*/{,docs/}*.md', { cwd: root })
    .filter((file) => !/(CHANGELOG|api-report)\.md$/.test(file))
    .sort(),
]
const map = new Map(files.map((file) => [file, placeOf(file)]))
map.set('README.md', '')
for (const file of globSync('{guide,design}/*.md', { cwd: docs })) map.set(`docs/${file}`, file.replace(/\.md$/, ''))

for (const area of ['about', 'packages', 'apps', 'public'])
  rmSync(path.join(docs, area), { recursive: true, force: true })
for (const file of files) {
  const target = path.join(docs, `${map.get(file)}.md`)
  mkdirSync(path.dirname(target), { recursive: true })
  const text = rewriteLinks(readFileSync(path.join(root, file), 'utf8'), file, {
    map,
    exists: (each) => existsSync(path.join(root, each)),
    picture: (each) => {
      const target = path.join(docs, 'public', each)
      mkdirSync(path.dirname(target), { recursive: true })
      copyFileSync(path.join(root, each), target)
      return each
    },
    sourceUrl: 'https://github.com/org/org/blob/main/',
  })
  writeFileSync(target, text)
}
console.log(`${files.length} pages collected`)
