import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { freePort } from '@org/services'
import { describe, expect, test } from 'vitest'

import { type Fault, type FakeHub, startFakeHub } from './fake-hub.ts'
import { runProbe, runYaml, verdicts } from './run.ts'

const folder = path.join(import.meta.dirname, 'certificates')
const certificate = (name: string) => ({
  key: readFileSync(path.join(folder, `${name}.key`), 'utf8'),
  cert: readFileSync(path.join(folder, `${name}.crt`), 'utf8'),
})

const at = (hub: { port: number; token?: string }) => ({
  scheme: 'http',
  hostname: 'localhost',
  port: String(hub.port),
  base_path: '',
  verify: false,
  ...(hub.token === undefined ? {} : { token: hub.token }),
})

const chain = (hub: FakeHub, create: Readonly<Record<string, unknown>> = {}) => {
  const common = { ...at(hub), users: ['alice'] }
  return JSON.stringify({
    jupyterhub_api: {
      create_session: { ...common, params: { ncores: 2, 'LCG-rel': 'LCG_95a' }, delay: 5, ...create },
      check_session: common,
      stop_session: common,
    },
  })
}

describe.concurrent('check_api', () => {
  test('passes without a token, and proves nothing about one', async () => {
    await using hub = await startFakeHub()
    expect(await runProbe('jupyterhub_api.check_api', at(hub))).toMatchObject({ status: 'pass' })
    expect(hub.calls).toEqual(['GET '])
  })

  test('finds a hub under a prefix', async () => {
    await using hub = await startFakeHub({ base: '/jupyter' })
    expect(await runProbe('jupyterhub_api.check_api', { ...at(hub), base_path: '/jupyter' })).toMatchObject({
      status: 'pass',
    })
    expect(await runProbe('jupyterhub_api.check_api', at(hub))).toMatchObject({
      status: 'fail',
      code: 'PROBE_HUB_ANSWER',
    })
  })

  test('fails when nothing listens', async () => {
    const result = await runProbe('jupyterhub_api.check_api', at({ port: await freePort() }))
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_HUB_UNREACHABLE' })
    expect(result.message).toContain('ECONNREFUSED')
    expect(result.lines.at(-2)).toContain('API is not reachable')
  })

  test.each<[string, Fault, string, string]>([
    [
      'a proxy without its hub',
      () => ({ status: 503, body: 'Service Unavailable' }),
      'PROBE_HUB_UNREACHABLE',
      'the proxy is up',
    ],
    ['an error page', () => ({ status: 500, body: '<h1>500</h1><p>oops</p>' }), 'PROBE_HUB_ANSWER', '500'],
    ['another web server', () => ({ status: 200, body: '<h1>It works</h1>' }), 'PROBE_HUB_ANSWER', 'no version'],
    ['a redirect', () => ({ status: 302, headers: { location: '/login' } }), 'PROBE_HUB_ANSWER', '302'],
    ['JSON without a version', () => ({ status: 200, body: {} }), 'PROBE_HUB_ANSWER', 'no version'],
  ])('fails on %s', async (_, fault, code, words) => {
    await using hub = await startFakeHub({ fault })
    const result = await runProbe('jupyterhub_api.check_api', at(hub))
    expect(result).toMatchObject({ status: 'fail', code, message: expect.stringContaining(words) })
  })

  test('fails at its limit when the hub is frozen', async () => {
    await using hub = await startFakeHub({ fault: () => new Promise(() => {}) })
    const result = await runProbe('jupyterhub_api.check_api', { ...at(hub), timeout: 1 })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
  })

  test('fails when the connection is cut in the middle of the answer', async () => {
    await using hub = await startFakeHub({
      fault: ({ raw: { response } }) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"version"')
        setTimeout(() => response.destroy(), 20)
        return { status: 200 }
      },
    })
    expect(await runProbe('jupyterhub_api.check_api', at(hub))).toMatchObject({
      status: 'fail',
      code: 'PROBE_HUB_UNREACHABLE',
    })
  })
})

describe.concurrent('TLS', () => {
  const check = (hub: { port: number }, verify: boolean | string) =>
    runProbe('jupyterhub_api.check_api', { hostname: 'localhost', port: hub.port, verify, timeout: 5 })

  test('refuses a self-signed certificate, unless told not to look or given its CA', async () => {
    await using hub = await startFakeHub({ tls: certificate('localhost') })
    const refused = await check(hub, true)
    expect(refused).toMatchObject({ status: 'fail', code: 'PROBE_HUB_TLS' })
    expect(refused.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(await check(hub, false)).toMatchObject({ status: 'pass' })
    expect(await check(hub, path.join(folder, 'localhost.crt'))).toMatchObject({ status: 'pass' })
    expect(await check(hub, path.join(folder, 'elsewhere.crt'))).toMatchObject({
      status: 'fail',
      code: 'PROBE_HUB_TLS',
    })
    expect(await check(hub, '/does/not/exist')).toMatchObject({ status: 'fail', code: 'PROBE_HUB_TLS' })
  })

  test('refuses a certificate of another name even from the right CA', async () => {
    await using hub = await startFakeHub({ tls: certificate('elsewhere') })
    const result = await check(hub, path.join(folder, 'elsewhere.crt'))
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_HUB_TLS' })
    expect(result.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('says what to do when the port speaks plain http', async () => {
    await using hub = await startFakeHub()
    const result = await check(hub, false)
    expect(result).toMatchObject({
      status: 'fail',
      code: 'PROBE_HUB_TLS',
      message: expect.stringContaining('`scheme: http`'),
    })
  })

  test('ends at its limit when the handshake never does', async () => {
    const silent = createServer(() => {})
    const port = await freePort()
    silent.listen(port, 'localhost')
    const result = await runProbe('jupyterhub_api.check_api', { hostname: 'localhost', port, timeout: 1 })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
    silent.close()
  })
})

describe.concurrent('token', () => {
  const check = (hub: FakeHub, token = hub.token) =>
    runProbe('jupyterhub_api.token', { ...at(hub), token, users: ['alice'] })

  test('passes with a valid token and shows no more of the user than it must', async () => {
    await using hub = await startFakeHub()
    const result = await check(hub)
    expect(result).toMatchObject({ status: 'pass' })
    expect(result.lines.join('\n')).toContain('alice info {"name":"alice"')
    expect(result.lines.join('\n')).not.toMatch(/state-of-alice|fake-hub-token/)
  })

  test.each<[string, Fault, string]>([
    ['401', () => ({ status: 401, body: { message: 'no' } }), 'PROBE_TOKEN_REJECTED'],
    ['429', () => ({ status: 429, body: { message: 'slow down' } }), 'PROBE_HUB_BUSY'],
    ['500', () => ({ status: 500, body: { message: 'oops' } }), 'PROBE_HUB_ANSWER'],
    ['302', () => ({ status: 302, headers: { location: '/hub/login' } }), 'PROBE_HUB_ANSWER'],
    ['503 of a hub', () => ({ status: 503, body: { message: 'the database is locked' } }), 'PROBE_HUB_DATABASE'],
  ])('fails on %s', async (_, fault, code) => {
    await using hub = await startFakeHub({ fault })
    expect(await check(hub)).toMatchObject({ status: 'fail', code })
  })

  test('tells a bad token, no token, a token without rights and an unknown user apart', async () => {
    await using hub = await startFakeHub({
      fault: ({ authorised, path: asked }) =>
        authorised && asked === 'users/bob' ? { status: 403, body: { message: 'needs read:users' } } : undefined,
    })
    const bad = await check(hub, 'a-wrong-token')
    expect(bad).toMatchObject({
      status: 'fail',
      code: 'PROBE_TOKEN_REJECTED',
      message: expect.stringContaining('not valid'),
    })
    expect(bad.lines.join('\n')).not.toContain('a-wrong-token')
    expect(await check(hub, '')).toMatchObject({ message: 'The file gives no token' })
    const bob = await runProbe('jupyterhub_api.token', { ...at(hub), users: ['bob'] })
    expect(bob).toMatchObject({ code: 'PROBE_TOKEN_REJECTED', message: expect.stringContaining('has no right') })
    const carol = await runProbe('jupyterhub_api.token', { ...at(hub), users: ['carol'] })
    expect(carol).toMatchObject({ code: 'PROBE_USER_UNKNOWN' })
  })

  test('does not blame the token for a database that does not answer', async () => {
    await using hub = await startFakeHub({
      fault: async ({ path: asked }) => {
        if (asked !== 'user') return undefined
        await delay(4200)
        return { status: 403, body: { status: 403, message: 'Forbidden' } }
      },
    })
    expect(await check(hub)).toMatchObject({ status: 'fail', code: 'PROBE_HUB_DATABASE' })
  })
})

describe.concurrent('sessions', () => {
  test('are created, checked and stopped; params go through as they are', async () => {
    await using hub = await startFakeHub({ spawnMs: 300 })
    const report = await runYaml(chain(hub))
    expect(verdicts(report).map(([, verdict]) => verdict)).toEqual(['pass', 'pass', 'pass'])
    expect(JSON.parse(hub.bodies[0] ?? '')).toEqual({ ncores: 2, 'LCG-rel': 'LCG_95a' })
    expect(hub.server).toBe('none')
  })

  test('pass as soon as they are ready, without waiting for the delay', async () => {
    await using hub = await startFakeHub({ spawnMs: 300 })
    const report = await runYaml(chain(hub, { delay: 60 }))
    expect(report.results[0]).toMatchObject({ status: 'pass' })
    expect(report.results[0]?.seconds).toBeLessThan(10)
  })

  test('pass on 201, ready at once', async () => {
    await using hub = await startFakeHub({
      fault: ({ method, path: asked }, self) => {
        if (method !== 'POST' || asked !== 'users/alice/server') return undefined
        self.server = 'ready'
        return { status: 201 }
      },
    })
    expect(verdicts(await runYaml(chain(hub))).map(([, verdict]) => verdict)).toEqual(['pass', 'pass', 'pass'])
  })

  test('that are never ready fail at the delay and are stopped', async () => {
    await using hub = await startFakeHub({ spawnMs: undefined })
    const report = await runYaml(chain(hub, { delay: 1 }))
    expect(verdicts(report)).toEqual([
      ['jupyterhub_api.create_session', 'fail PROBE_TIMEOUT'],
      ['jupyterhub_api.check_session', 'skipped PROBE_NEEDS'],
      ['jupyterhub_api.stop_session', 'skipped PROBE_NEEDS'],
    ])
    expect(report.results[0]?.message).toBe('The server of alice was not ready within 1 s')
    expect(hub.calls).toContain('DELETE users/alice/server')
    expect(hub.server).toBe('none')
    expect(report.results[0]?.left).toEqual([])
  })

  test('that fail to start say why at once, from the progress of the hub', async () => {
    await using hub = await startFakeHub({
      fault: ({ path: asked, raw: { response } }, self) => {
        if (asked !== 'users/alice/server/progress') return undefined
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('data: {"progress":0,"message":"Server requested"}\n\n\n\ndata: {"progr')
        response.write('ess":100,"failed":true,"message":"Spawn failed: no node has room"}\n\n')
        self.server = 'none'
        return { status: 200 }
      },
    })
    const report = await runYaml(chain(hub, { delay: 60 }))
    expect(report.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_SPAWN_FAILED' })
    expect(report.results[0]?.message).toContain('Spawn failed: no node has room')
  })

  test('fail when the question after the request is not answered well', async () => {
    await using hub = await startFakeHub({
      fault: ({ method, path: asked }, self) =>
        method === 'GET' && asked === 'users/alice' && self.server === 'spawn' ? { status: 500, body: {} } : undefined,
    })
    const report = await runYaml(chain(hub))
    expect(report.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_HUB_ANSWER' })
  })

  test('of somebody else are left alone', async () => {
    await using hub = await startFakeHub()
    hub.server = 'ready'
    const report = await runYaml(chain(hub))
    expect(verdicts(report)).toEqual([
      ['jupyterhub_api.create_session', 'fail PROBE_SESSION_FOREIGN'],
      ['jupyterhub_api.check_session', 'skipped PROBE_NEEDS'],
      ['jupyterhub_api.stop_session', 'skipped PROBE_NEEDS'],
    ])
    expect(hub.server).toBe('ready')
    expect(hub.calls).not.toContain('DELETE users/alice/server')
  })

  test('that somebody starts between the look and the request are left alone as well', async () => {
    await using hub = await startFakeHub({
      fault: ({ method }, self) => {
        if (method === 'POST') self.server = 'ready'
        return undefined
      },
    })
    const report = await runYaml(chain(hub))
    expect(report.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_SESSION_FOREIGN' })
    expect(hub.server).toBe('ready')
  })

  test('wait as long as the hub asks when it is busy', async () => {
    let asked = 0
    await using hub = await startFakeHub({
      spawnMs: 10,
      fault: ({ method }) =>
        method === 'POST' && ++asked === 1
          ? { status: 429, body: { message: 'later' }, headers: { 'retry-after': '1' } }
          : undefined,
    })
    expect((await runYaml(chain(hub))).results[0]).toMatchObject({ status: 'pass' })
    expect(asked).toBe(2)
  })

  test.each([
    ['longer than a timer holds', () => '2592000'],
    ['beyond the limit', () => '3600'],
    ['at a date beyond the limit', () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])('do not wait when the hub wants to be asked again %s, and do not ask at once', async (_, after) => {
    await using hub = await startFakeHub({
      fault: ({ method }) =>
        method === 'POST'
          ? { status: 429, body: { message: 'later' }, headers: { 'retry-after': after() } }
          : undefined,
    })
    const report = await runYaml(chain(hub))
    expect(report.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_HUB_BUSY' })
    expect(report.results[0]?.seconds).toBeLessThan(4)
    expect(hub.calls.filter((call) => call.startsWith('POST'))).toHaveLength(1)
  })

  test('have the limits of many users together, however long', async () => {
    await using hub = await startFakeHub({ spawnMs: 10 })
    const users = ['alice', ...Array.from({ length: 40 }, (_, index) => `user${index}`)]
    const report = await runYaml(chain(hub, { users, delay: 86_400 }))
    // The fake knows alice only: the second one fails, and not for time.
    expect(report.results[0]).toMatchObject({ code: 'PROBE_USER_UNKNOWN' })
  })

  test('whose token is revoked on the way: the next call says so, the rest is skipped, not failed', async () => {
    let revoked = false
    await using hub = await startFakeHub({
      spawnMs: 10,
      fault: ({ method, path: asked }, self) => {
        if (revoked && asked !== '') return { status: 403, body: { status: 403, message: 'Forbidden' } }
        if (method === 'GET' && asked === 'users/alice' && self.server === 'ready') revoked = true
        return undefined
      },
    })
    const report = await runYaml(chain(hub))
    expect(verdicts(report)).toEqual([
      ['jupyterhub_api.create_session', 'pass'],
      ['jupyterhub_api.check_session', 'fail PROBE_TOKEN_REJECTED'],
      ['jupyterhub_api.stop_session', 'skipped PROBE_NEEDS'],
    ])
    expect(report.results[0]?.left).toEqual([expect.stringContaining('the session of alice')])
  })

  test('that the hub calls ready and that do not answer fail the check, and are stopped', async () => {
    await using hub = await startFakeHub({
      spawnMs: 10,
      fault: ({ path: asked }) => (asked === '/user/alice/api' ? { status: 503, body: 'dead' } : undefined),
    })
    const report = await runYaml(chain(hub))
    expect(report.results[1]).toMatchObject({ status: 'fail', code: 'PROBE_SESSION_MISSING' })
    expect(report.results[2]).toMatchObject({ status: 'skipped' })
    expect(hub.server).toBe('none')
  })

  test('that the proxy has no route to fail the check', async () => {
    await using hub = await startFakeHub({
      fault: ({ path: asked }) =>
        asked === '/user/alice/api' ? { status: 302, headers: { location: '/hub/user/alice/api' } } : undefined,
    })
    hub.server = 'ready'
    const result = await runProbe('jupyterhub_api.check_session', { ...at(hub), users: ['alice'] })
    expect(result).toMatchObject({
      status: 'fail',
      code: 'PROBE_SESSION_MISSING',
      message: expect.stringContaining('no route'),
    })
  })

  test('that stop slowly are waited for', async () => {
    await using hub = await startFakeHub({
      fault: ({ method }, self) => {
        if (method !== 'DELETE') return undefined
        self.server = 'stop'
        setTimeout(() => (self.server = 'none'), 400)
        return { status: 202 }
      },
    })
    hub.server = 'ready'
    expect(await runProbe('jupyterhub_api.stop_session', { ...at(hub), users: ['alice'] })).toMatchObject({
      status: 'pass',
    })
    expect(hub.server).toBe('none')
  })

  test('that are still starting are stopped when the hub lets them be', async () => {
    let refusals = 0
    await using hub = await startFakeHub({
      fault: ({ method }) =>
        method === 'DELETE' && ++refusals < 3
          ? { status: 400, body: { message: 'alice is pending spawn, please wait' } }
          : undefined,
    })
    hub.server = 'spawn'
    expect(await runProbe('jupyterhub_api.stop_session', { ...at(hub), users: ['alice'] })).toMatchObject({
      status: 'pass',
    })
    expect(refusals).toBe(3)
  })

  test('that do not go away fail stop_session', async () => {
    await using hub = await startFakeHub({ fault: ({ method }) => (method === 'DELETE' ? { status: 202 } : undefined) })
    hub.server = 'stop'
    const result = await runProbe('jupyterhub_api.stop_session', { ...at(hub), users: ['alice'], timeout: 1 })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
    expect(result.lines.join('\n')).toContain('alice server was not removed')
  })

  test('without a stop_session in the file stay', async () => {
    await using hub = await startFakeHub({ spawnMs: 10 })
    const result = await runProbe('jupyterhub_api.create_session', { ...at(hub), users: ['alice'] })
    expect(result).toMatchObject({ status: 'pass' })
    expect(hub.server).toBe('ready')
  })

  test('are stopped when the run is interrupted', async () => {
    await using hub = await startFakeHub({ spawnMs: undefined })
    const stop = new AbortController()
    const running = runYaml(chain(hub), { signal: stop.signal })
    while (!hub.calls.includes('POST users/alice/server')) await delay(10)
    stop.abort()
    const report = await running
    expect(report.cut).toBe(true)
    expect(report.results[0]).toMatchObject({ status: 'error', code: 'PROBE_CANCELLED' })
    expect(hub.server).toBe('none')
  })
})
