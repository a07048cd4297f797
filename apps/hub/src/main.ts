#!/usr/bin/env -S node --max-semi-space-size=4
import { runCommand } from './cli/commands.ts'

process.exitCode = await runCommand(process.argv.slice(2), process.env)
