import { execFile } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

import { describeWith, ensurePostgresImage, freePort } from '@org/services'
import { expect, inject, test, vi } from 'vitest'

import { temporaryFolder } from './embedded/fixtures.ts'
import { freshProvisioner } from './provisioner/fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })
const run = promisify(execFile)
const home = path.join(import.meta.dirname, '..')
const example = (file: string) => path.join(home, 'examples', file)

async function runExample(file: string, env: Record<string, string>): Promise<string> {
  const options = { env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...env } }
  return (await run(process.execPath, ['--conditions=@org/source', example(file)], options)).stdout
}

/** Runs a shell example with the command on its PATH. */
async function runShell(text: string, folder: string, env: Record<string, string>): Promise<string> {
  const command = path.join(folder, 'container-pg')
  writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${path.join(home, 'src/cli/main.ts')} "$@"\n`)
  chmodSync(command, 0o755)
  const options = { cwd: folder, env: { ...env, PATH: `${folder}:${process.env['PATH']}` } }
  return (await run('bash', ['-euo', 'pipefail', '-c', text], options)).stdout
}

test('every example is in the README, word for word', () => {
  const readme = readFileSync(path.join(home, 'README.md'), 'utf8')
  const shown = [...readme.matchAll(/^```\w+\n((?:\/\/|#) examples\/(\S+)\n[\s\S]*?)^```/gm)]
  expect(shown.map(([, , name]) => name ?? '').toSorted()).toEqual(readdirSync(example('')).toSorted())
  for (const [, text, name] of shown) expect(text).toBe(readFileSync(example(name ?? ''), 'utf8'))
})

test('every code is in the README', () => {
  const readme = readFileSync(path.join(home, 'README.md'), 'utf8')
  const codes = [...readFileSync(path.join(home, 'src/errors.ts'), 'utf8').matchAll(/\| '([A-Z_]+)'/g)].map(
    ([, code]) => code ?? '',
  )
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.filter((code) => !readme.includes(`\`${code}\``))).toEqual([])
})

test('isolated databases', async () => {
  expect(await runExample('isolated-databases.ts', { DATABASE_URL: inject('postgresUrl') })).toBe('[ { id: 1 } ]\n')
})

test('embedded', async () => {
  expect(await runExample('embedded.ts', { DATA_DIR: temporaryFolder() })).toBe('[ { answer: 42 } ]\n')
})

await describeWith('docker', 'quick starts', () => {
  test('library', async () => {
    const { root } = await freshProvisioner()
    const env = { CONTAINER_PG_ROOT: root, CONTAINER_PG_IMAGE: await ensurePostgresImage() }
    const printed = `[ { current_user: 'postgres', current_database: 'shop' } ]\n`
    expect(await runExample('library.ts', env)).toBe(printed)
    expect(await runExample('library.ts', env)).toBe(printed)
  })

  test('command line', async () => {
    const { root } = await freshProvisioner()
    const folder = temporaryFolder()
    writeFileSync(path.join(folder, 'password'), 'secret\n', { mode: 0o600 })
    const env = { CONTAINER_PG_ROOT: root, CONTAINER_PG_IMAGE: await ensurePostgresImage() }
    const printed = await runShell(readFileSync(example('command-line.sh'), 'utf8'), folder, env)
    expect(printed).toMatch(/✓ engine[\s\S]*alice +running[\s\S]*restored once[\s\S]*shop-copy on alice/)
  })

  test('HTTP', async () => {
    const { root } = await freshProvisioner()
    const env = {
      CONTAINER_PG_ROOT: root,
      CONTAINER_PG_IMAGE: await ensurePostgresImage(),
      CONTAINER_PG_TOKEN: 'a token of the tests',
    }
    const text = readFileSync(example('http.sh'), 'utf8').replaceAll('8080', String(await freePort()))
    const printed = await runShell(text, temporaryFolder(), env)
    expect(printed).toMatch(/"status":"OK","name":"bob","state":"running"[\s\S]*ready to accept connections/)
  })
})
