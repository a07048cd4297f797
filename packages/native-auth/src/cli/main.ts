#!/usr/bin/env node
import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

import { NativeAuthError } from '../errors.ts'
import { run } from './run.ts'

const code = run(process.argv.slice(2), {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  async readPassword(prompt) {
    if (process.stdin.isTTY) process.stderr.write(prompt)
    // What is typed is echoed to nowhere.
    const output = new Writable({ write: (_chunk, _encoding, done) => done() })
    const reader = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY })
    try {
      const ended = once(reader, 'close').then((): string => {
        throw new NativeAuthError('NATIVE_AUTH_INVALID_INPUT', 'There was no password to read; nothing was done')
      })
      return await Promise.race([reader.question(''), ended])
    } finally {
      reader.close()
      if (process.stdin.isTTY) process.stderr.write('\n')
    }
  },
})

void code.then((exitCode) => {
  process.exitCode = exitCode
})
