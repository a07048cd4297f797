import { once } from 'node:events'
import { createServer } from 'node:net'

import { describeWith } from '@org/services'
import { Client } from 'pg'
import { expect, test, vi } from 'vitest'

import { bearerToken, createContainerApi, type Provisioner } from '../../src/index.ts'
import { waitForLock } from '../../src/internal/kernel-lock.ts'
import { freshProvisioner } from '../provisioner/fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })

const TOKEN = 'a token of the tests'

function clientOf(provisioner: Provisioner) {
  const handle = createContainerApi(provisioner, { authorize: bearerToken(TOKEN) })
  const call = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await handle(
      new Request(`http://service${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
    const text = await response.text()
    return { status: response.status, json: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown> }
  }
  return { handle, call }
}

/** Waits for a port that a test needs and no other will do; another run of the same test may have it for a while. */
async function freeOf(port: number): Promise<AsyncDisposable> {
  const turn = await waitForLock(`test of port ${port}`, 60_000)
  const probe = createServer().listen(port, '127.0.0.1')
  try {
    await once(probe, 'listening')
  } catch (error) {
    await turn?.[Symbol.asyncDispose]()
    throw new Error(`This test needs port ${port} on 127.0.0.1, and another program listens there`, { cause: error })
  }
  probe.close()
  await once(probe, 'close')
  return turn ?? { [Symbol.asyncDispose]: () => Promise.resolve() }
}

/** Stands in for the provisioner where the answer is decided before it is asked. */
const unreachable = new Proxy({} as Provisioner, {
  get: () => () => {
    throw new Error('the provisioner was asked')
  },
})

test('does nothing without permission, whatever is asked', async () => {
  const { call } = clientOf(unreachable)
  for (const [method, path] of [
    ['POST', '/api/containers/'],
    ['POST', '/api/create'],
    ['GET', '/api/containers/'],
    ['GET', '/api/containers/a'],
    ['DELETE', '/api/containers/a?keep_data=false'],
    ['POST', '/api/containers/a/start'],
    ['POST', '/api/containers/a/stop'],
    ['GET', '/api/containers/a/logs'],
    ['PUT', '/api/containers/a'],
    ['GET', '/api/openapi.json'],
    ['GET', '/nowhere'],
  ] as const) {
    for (const authorization of ['', 'Bearer wrong', `Basic ${TOKEN}`]) {
      expect((await call(method, path, undefined, { authorization })).status).toBe(401)
    }
  }
})

test('tells permission what is to be done', async () => {
  const seen: unknown[] = []
  const handle = createContainerApi(unreachable, {
    authorize: (_, action) => {
      seen.push(`${action.operation} ${action.name}`)
      return false
    },
  })
  await handle(new Request('http://service/api/containers/a/stop', { method: 'POST' }))
  await handle(new Request('http://service/api/containers/', { method: 'GET' }))
  expect(seen).toEqual(['stop a', 'list undefined'])
})

test('refuses a short token', () => {
  expect(() => bearerToken('short')).toThrow(TypeError)
})

test.each([
  [{}, 'application/json', 422],
  [{ admin_password: 'x', admin: true }, 'application/json', 422],
  [{ admin_password: 7 }, 'application/json', 422],
  [{ admin_password: 'x', port: '6000' }, 'application/json', 422],
  [{ admin_password: 'x', databases: 'a' }, 'application/json', 422],
  [[], 'application/json', 400],
  [{ admin_password: 'x' }, 'text/plain', 415],
  [{ admin_password: 'x'.repeat(20_000) }, 'application/json', 413],
])('refuses body $# with a fitting status', async (body, type, status) => {
  const { call } = clientOf(unreachable)
  expect((await call('POST', '/api/containers/', body, { 'content-type': type })).status).toBe(status)
})

test('says which methods an address has', async () => {
  const { call } = clientOf(unreachable)
  expect(await call('PUT', '/api/containers/')).toMatchObject({
    status: 405,
    json: { message: expect.stringContaining('POST, GET') },
  })
  expect((await call('GET', '/api/else')).status).toBe(404)
})

test('hides what is not its own failure', async () => {
  const heard: unknown[] = []
  const handle = createContainerApi(unreachable, { authorize: () => true, onError: (error) => heard.push(error) })
  const response = await handle(new Request('http://service/api/containers/'))
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('was asked')
  expect(heard).toHaveLength(1)
})

test('describes itself', async () => {
  const { call } = clientOf(unreachable)
  const { json } = await call('GET', '/api/openapi.json')
  expect(Object.keys(json['paths'] as object)).toEqual([
    '/api/containers/',
    '/api/create',
    '/api/containers/{name}',
    '/api/containers/{name}/start',
    '/api/containers/{name}/stop',
    '/api/containers/{name}/logs',
  ])
})

await describeWith('docker', 'the integrated test of 2014', () => {
  test('create a container and log in to its database', async () => {
    const { provisioner } = await freshProvisioner()
    const { call } = clientOf(provisioner)
    const { json: response } = await call('POST', '/api/create', { admin_password: 'abc' })
    expect(response['status']).toBe('OK')
    const port = response['port'] as number
    expect(port).toBeGreaterThan(1024)

    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: 'abc', database: 'postgres' })
    await client.connect()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await client.end()
  })

  test('create with a storage folder and a port, as a form; the data outlives the container', async () => {
    const { provisioner, root } = await freshProvisioner()
    const { handle, call } = clientOf(provisioner)
    const port = 6123
    await using _turn = await freeOf(port)
    const create = async () => {
      const response = await handle(
        new Request('http://service/api/containers/', {
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}` },
          body: new URLSearchParams({ storage_dir: `${root}/user1`, admin_password: 'abc', port: String(port) }),
        }),
      )
      return (await response.json()) as Record<string, unknown>
    }
    const response = await create()
    expect(response).toMatchObject({ status: 'OK', port, storage_dir: `${root}/user1` })
    expect(await create()).toEqual(response)

    const run = async (text: string) => {
      const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: 'abc', database: 'postgres' })
      await client.connect()
      try {
        return (await client.query(text)).rows as unknown[]
      } finally {
        await client.end()
      }
    }
    await run('CREATE TABLE kept AS SELECT 1 AS one')
    const at = `/api/containers/${String(response['name'])}`
    expect((await call('DELETE', at)).status).toBe(422)
    expect((await call('DELETE', `${at}?keep_data=true`)).status).toBe(204)
    expect((await call('GET', at)).status).toBe(404)
    await create()
    expect(await run('TABLE kept')).toEqual([{ one: 1 }])
  })

  test('list, stop, start, logs and errors', async () => {
    const { provisioner } = await freshProvisioner()
    const { handle, call } = clientOf(provisioner)
    await call('POST', '/api/containers/', { name: 'a', admin_password: 'abc' })
    expect((await call('GET', '/api/containers/')).json).toMatchObject({
      containers: [{ name: 'a', state: 'running' }],
    })
    expect((await call('POST', '/api/containers/a/stop')).json).toMatchObject({ status: 'OK', state: 'stopped' })
    expect((await call('POST', '/api/containers/a/start')).json).toMatchObject({ status: 'OK', state: 'running' })
    const logs = await handle(
      new Request('http://service/api/containers/a/logs?tail=1', { headers: { authorization: `Bearer ${TOKEN}` } }),
    )
    expect(await logs.text()).toMatch(/ready to accept connections\n$/)
    expect(await call('POST', '/api/containers/', { name: 'a', admin_password: 'other' })).toMatchObject({
      status: 401,
      json: { status: 'error', code: 'WRONG_PASSWORD', remedy: expect.any(String) },
    })
    expect(await call('POST', '/api/containers/nobody/stop')).toMatchObject({
      status: 404,
      json: { code: 'NOT_FOUND' },
    })
  })
})
