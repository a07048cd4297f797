import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { describeWith } from '@org/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { call, startHub, TOKEN } from './support/running-hub.ts'

const run = promisify(execFile)
const readme = readFileSync(path.join(import.meta.dirname, '..', 'README.md'), 'utf8')
const unit = /```ini\n(\[Unit\].*?)```/s.exec(readme)?.[1] ?? ''

describe("the README's operations", { timeout: 60_000 }, () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'operating-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  test('TLS: the public port speaks https with the given certificate, and cookies are marked', async () => {
    const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')]
    const kind = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
    const args = `req -x509 ${kind} -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`
    await run('openssl', args.split(' '))
    await using hub = await startHub({ proxy: { ssl_key: key, ssl_cert: cert } })
    const ask = (where: string, ca?: string, headers: OutgoingHttpHeaders = {}, body?: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<{
        status: number | undefined
        cookies: string[]
        text: string
      }>()
      const url = new URL(where, hub.url.replace('http:', 'https:'))
      request(url, { ca, headers, method: body === undefined ? 'GET' : 'POST' }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode, cookies: response.headers['set-cookie'] ?? [], text }),
        )
      })
        .on('error', reject)
        .end(body)
      return promise
    }
    const ca = readFileSync(cert, 'utf8')
    expect(await ask('hub/health', ca)).toMatchObject({ status: 200 })
    const { cookies } = await ask('hub/login', ca)
    expect(cookies.length).toBeGreaterThan(0)
    // `__Secure-`: browsers take them over https only, so nobody on the way can plant one.
    for (const cookie of cookies) expect(cookie).toMatch(/^__Secure-jupyterhub-hub-\w+=.*; Path=\/hub\/; .*; Secure$/)
    // Links are https too, whatever the client says of itself; asked directly, the hub speaks http.
    const direct = `http://127.0.0.1:${hub.ports.hub}/hub/api/users`
    await call(direct, 'POST', { body: { usernames: ['ada', 'bob'] } })
    const paged = {
      authorization: `token ${TOKEN}`,
      accept: 'application/jupyterhub-pagination+json',
      'x-forwarded-proto': 'http',
    }
    const nextOf = (text: string) =>
      (JSON.parse(text) as { _pagination: { next: { url: string } | null } })._pagination.next?.url ?? ''
    const first = nextOf((await ask('hub/api/users?limit=1', ca, paged)).text)
    expect(first).toMatch(new RegExp(`^https://127.0.0.1:${hub.ports.public}/hub/api/users\\?`))
    expect(nextOf((await ask(first, ca, paged)).text)).toBe('')
    // Browsers that do not say where a form comes from by `Sec-Fetch-Site` say it by `Origin`.
    const account = JSON.stringify({ username: 'eve', password: 'correct horse battery' })
    const form = { 'content-type': 'application/json', cookie: 'x=y' }
    const own = await ask('hub/users/register', ca, { ...form, origin: new URL(first).origin }, account)
    expect(own.status).toBe(201)
    const foreign = await ask('hub/users/register', ca, { ...form, origin: 'https://evil.example' }, account)
    expect(foreign.status).toBe(403)
    const { authorization, accept } = paged
    const asked = await call(`${direct}?limit=1`, 'GET', { headers: { authorization, accept } })
    expect(nextOf(asked.text)).toMatch(new RegExp(`^http://127.0.0.1:${hub.ports.hub}/hub/api/users\\?`))
    await expect(ask('hub/health')).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect(hub.log()).toContain('The hub is ready at https://')
  })

  test('the systemd unit names the built program, its flags, and lets servers live', () => {
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node --max-semi-space-size=4 apps\/hub\/dist\/main\.js --config /m)
    expect(unit).toContain('KillMode=process')
  })
})

await describeWith('systemd', "the README's unit", () => {
  test('is one that systemd accepts', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'unit-'))
    try {
      const file = path.join(dir, 'hub.service')
      writeFileSync(file, unit.replace('/usr/bin/node', process.execPath))
      const { stderr } = await run('systemd-analyze', ['verify', file])
      expect(stderr.split('\n').filter((line) => line.includes('hub.service'))).toEqual([])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
