#!/usr/bin/env node
import { insideWord } from './docker/inside-word.ts'
import { runHelper } from './isolation/helper.ts'
import { helperWord } from './isolation/protocol.ts'

if (process.argv[2] === helperWord) {
  runHelper()
} else if (process.argv[2] === insideWord) {
  const { runInside } = await import('./docker/inside.ts')
  await runInside()
} else {
  const { main } = await import('./cli/cli.ts')
  process.exitCode = await main(process.argv.slice(2), { env: process.env, cwd: process.cwd() })
}
