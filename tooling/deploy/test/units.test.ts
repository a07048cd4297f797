import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { describeWith } from '@org/services'
import { expect, onTestFinished, test } from 'vitest'

import { root } from '../src/stack.ts'

const run = promisify(execFile)
const units = globSync('deploy/systemd/*.service', { cwd: root }).sort()

await describeWith('systemd', 'the systemd units', () => {
  test('are one for each app and role', () => {
    expect(units.map((file) => path.basename(file))).toEqual([
      'events-api-web@.service',
      'events-api-worker@.service',
      'hub.service',
      'swan-probe.service',
    ])
  })

  test('are understood, to the last word', { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'units-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const copies = units.map((file) => {
      const copy = path.join(folder, path.basename(file))
      // A machine that tests may have its Node elsewhere than one that serves.
      writeFileSync(copy, readFileSync(path.join(root, file), 'utf8').replace('/usr/bin/node', process.execPath))
      return copy
    })
    const { stdout, stderr } = await run('systemd-analyze', ['verify', ...copies])
    expect(stdout + stderr).toBe('')
  })

  // On systemd's scale from 0 to 10; a service without any of it has 9.6.
  test.each(units.map((file) => [path.basename(file), file.includes('hub') ? 20 : 15] as const))(
    '%s exposes no more than %d tenths',
    async (name, threshold) => {
      const args = ['security', '--offline=true', '--no-pager', `--threshold=${threshold}`]
      const unit = path.join(root, 'deploy/systemd', name)
      await expect(run('systemd-analyze', [...args, unit])).resolves.toMatchObject({ stderr: '' })
    },
  )
})
