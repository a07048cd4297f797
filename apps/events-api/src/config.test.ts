import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { ConfigError, readConfig } from './config.ts'

test('an empty environment is a demo on the loopback interface', () => {
  expect(readConfig({})).toMatchObject({
    role: 'all',
    host: '127.0.0.1',
    port: 8010,
    databaseUrl: undefined,
    redisUrl: undefined,
    softDelete: true,
    insecureCookies: true,
    seed: true,
  })
})

test.each([
  ['SOFT_DELETE', 'off', { softDelete: false }],
  ['SOFT_DELETE', 'sponsors, tracks', { softDelete: { off: ['sponsors', 'tracks'] } }],
  ['ORIGINS', 'https://events.example.org', { origins: ['https://events.example.org'], insecureCookies: false }],
  ['PORT', '', { port: 8010 }],
  ['PORT', '0', { port: 0 }],
])('reads %s=%s', (name, value, expected) => {
  expect(readConfig({ [name]: value })).toMatchObject(expected)
})

test.each([
  ['PORT', { PORT: 'eighty' }],
  ['PORT', { PORT: '65536' }],
  ['ROLE', { ROLE: 'boss' }],
  ['DATABASE_URL', { ROLE: 'web' }],
  ['DATABASE_URL', { DATABASE_URL: 'mysql://user:secretword@localhost/x' }],
  ['REDIS_URL', { REDIS_URL: 'localhost:6379' }],
  ['SECRET', { SECRET: 'secretword' }],
  ['SECRET', { ROLE: 'worker', DATABASE_URL: 'postgres://localhost/x' }],
  ['TRUST_PROXY', { TRUST_PROXY: 'yes' }],
  ['TRASH_RETENTION_DAYS', { TRASH_RETENTION_DAYS: '0' }],
  ['S3_ENDPOINT', { S3_BUCKET: 'files', S3_ENDPOINT: 'nowhere' }],
])('names %s when it cannot be used, and shows no secret', (name, env) => {
  const read = () => readConfig(env)
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(name)
  expect(read).not.toThrow(/secretword/)
})

test('takes a value from the file that NAME_FILE names, without the newline at its end', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'events-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'secret')
  writeFileSync(file, `${'s'.repeat(40)}\n`)
  expect(readConfig({ SECRET_FILE: file })).toMatchObject({ secret: 's'.repeat(40) })
  expect(readConfig({ SECRET: '', SECRET_FILE: file })).toMatchObject({ secret: 's'.repeat(40) })
  expect(() => readConfig({ SECRET: 'x'.repeat(40), SECRET_FILE: file })).toThrow(
    new ConfigError('Expected SECRET or SECRET_FILE, got both'),
  )
  expect(() => readConfig({ SECRET_FILE: path.join(folder, 'none') })).toThrow(
    new ConfigError('Expected SECRET_FILE to name a file that can be read, got ENOENT'),
  )
})
