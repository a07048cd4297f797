import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { openWorld } from './support/world.ts'

const root = path.join(import.meta.dirname, '..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')

test.each(['quick-start', 'signals', 'testing', 'telemetry', 'bull-board'])(
  'example %s stands in the README and prints what it says there',
  async (name) => {
    await using world = await openWorld()
    const file = path.join(root, 'examples', `${name}.ts`)
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@org/source', file], {
      env: { ...process.env, DATABASE_URL: world.url },
    })
    expect(readme).toContain(`\`\`\`ts\n${readFileSync(file, 'utf8')}\`\`\`\n`)
    expect(readme).toContain(`\`\`\`console\n${stdout}\`\`\`\n`)
  },
)
