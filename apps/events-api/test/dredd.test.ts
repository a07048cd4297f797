import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type {} from '@org/services'
import { expect, inject, test } from 'vitest'

const program = fileURLToPath(import.meta.resolve('./dredd/run.ts'))

// Its first run on a machine installs Dredd, which takes most of the time.
test('the real Dredd finds the core paths as they are described', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@org/source', program], {
    env: { ...process.env, DATABASE_URL: inject('postgresUrl') },
    maxBuffer: 1 << 26,
  })
  expect(stdout).toMatch(/complete: 40 passing, 0 failing, 0 errors, 0 skipped/)
}, 300_000)
