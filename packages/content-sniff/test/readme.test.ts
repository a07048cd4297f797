import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { knownTypes } from '@org/content-sniff'
import { expect, test } from 'vitest'

import { fauxBucket } from './support/s3-server.ts'

const root = path.join(import.meta.dirname, '..')
const readme = await readFile(path.join(root, 'README.md'), 'utf8')
const examples = (await readdir(path.join(root, 'examples'))).sort()

/** The code block behind a marker, and the output block behind that. */
function blocks(name: string): readonly [code: string, output: string] {
  const from = readme.indexOf(`<!-- example: ${name} -->`)
  const [code = '', output = ''] = [...readme.slice(Math.max(from, 0)).matchAll(/```\w*\n([^]*?)```/g)].map(
    (match) => match[1] ?? '',
  )
  return from < 0 ? ['', ''] : [code, output]
}

test.each(examples)(
  '%s stands in the README as it is and prints what is said there',
  async (name) => {
    const [code, output] = blocks(name)
    expect(code).toBe(await readFile(path.join(root, 'examples', name), 'utf8'))
    await using s3 = await fauxBucket()
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@org/source', path.join(root, 'examples', name)],
      {
        cwd: root,
        env: {
          ...process.env,
          NO_COLOR: '1',
          AWS_ACCESS_KEY_ID: 'a',
          AWS_SECRET_ACCESS_KEY: 'b',
          AWS_REGION: 'us-east-1',
          AWS_ENDPOINT_URL_S3: s3.endpoint,
          BUCKET: s3.bucket,
        },
      },
    )
    expect(stdout).toBe(output)
  },
  30_000,
)

test('the table of types is the one of the code', () => {
  const rows = [...new Set(knownTypes.map(({ family }) => family))].map((family) => {
    const names = knownTypes.filter((type) => type.family === family).map(({ mime }) => `\`${mime}\``)
    return `- ${family} (${names.length}): ${names.join(', ')}`
  })
  expect(readme).toContain(rows.join('\n'))
})

test('every error code is explained', async () => {
  const source = await readFile(path.join(root, 'src/errors.ts'), 'utf8')
  const codes = [...source.matchAll(/'(SNIFF_\w+)'/g)].map((match) => match[1] ?? '')
  expect(codes.filter((code) => !new RegExp(`^\\| \`${code}\` +\\| \\w`, 'm').test(readme))).toEqual([])
})
