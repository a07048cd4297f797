import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { CreateBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { TestDatabase } from '@org/container-pg/testing'
import { describeWith, freePort, startRedis } from '@org/services'
import { startFauxqs } from 'fauxqs'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { type ServiceProcess, type StartError, startProcess } from './support/process.ts'
import { until } from './support/until.ts'
import { openPool, openWorld } from './support/world.ts'

let pool: Awaited<ReturnType<typeof openPool>>
let folder: string
beforeAll(async () => {
  pool = await openPool(inject('postgresUrl'), 'conference', { warm: 1 })
  folder = await mkdtemp(path.join(tmpdir(), 'events-api-'))
}, 120_000)
afterAll(async () => {
  await pool[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}, 60_000)

/** Starts a process; all of this file share what Node compiled. */
const start = (env: Readonly<Record<string, string>>) =>
  startProcess({ NODE_COMPILE_CACHE: path.join(folder, 'compiled'), ...env })

/** A session of the organiser; it holds for every process on the database. */
async function sessionOn(database: TestDatabase): Promise<string> {
  await using world = await openWorld(database.url)
  return await world.tokenOf('organiser')
}

const exportOf = JSON.stringify({
  data: { type: 'exports', relationships: { event: { data: { type: 'events', id: '1' } } } },
})

const postExport = (url: string, token: string) =>
  fetch(`${url}/v1/exports`, {
    method: 'POST',
    body: exportOf,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/vnd.api+json' },
  })

/** States of all tasks, with how often each row was written after it was made: once when its job ran once. */
async function tasksOf(database: TestDatabase): Promise<{ readonly state: string; readonly version: number }[]> {
  const client = new Client(database.url)
  await client.connect()
  const { rows } = await client.query('select state, version from tasks')
  await client.end()
  return rows
}

const allDone = (database: TestDatabase, count: number) =>
  until(`${count} tasks`, async () => {
    const tasks = await tasksOf(database)
    return tasks.length === count && tasks.every(({ state }) => state === 'done') ? tasks : undefined
  })

describe('a process', () => {
  const lone = (name: string) => ({ DATA_DIR: path.join(folder, name), SEED: 'false' })

  test('names the setting when the port is taken, exits with 1 and leaves nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const started = start({ ...lone('taken'), PORT: String(port) })
    await expect(started).rejects.toThrow(new RegExp(`Port ${port} .* set PORT`))
    await expect(started).rejects.toMatchObject({ code: 1 } satisfies Partial<StartError>)
    expect(existsSync(path.join(folder, 'taken'))).toBe(false)
    server.close()
  }, 30_000)

  test('names the variable that it cannot use', async () => {
    const started = start({ ...lone('wrong'), PORT: 'eighty' })
    await expect(started).rejects.toMatchObject({ code: 1, message: expect.stringContaining('PORT') })
  }, 30_000)

  test('says that the database cannot be reached, without its password', async () => {
    const port = await freePort()
    const started = start({
      ...lone('unreachable'),
      DATABASE_URL: `postgres://u:secretword@127.0.0.1:${port}/x`,
    })
    await expect(started).rejects.toMatchObject({ code: 1, message: expect.stringContaining('ECONNREFUSED') })
    await expect(started).rejects.not.toThrow(/secretword/)
  }, 30_000)

  test('runs on its own Postgres, keeps its data, and stops it on SIGTERM', async () => {
    const env = { DATA_DIR: path.join(folder, 'own'), ORGANISER_PASSWORD: 'chosen by the person 7' }
    const first = await start(env)
    expect(await (await fetch(`${first.url}/ping`)).json()).toEqual({ msg: 'pong' })
    const body = JSON.stringify({ username: 'organiser', password: env.ORGANISER_PASSWORD })
    const headers = { 'content-type': 'application/json' }
    const login = await fetch(`${first.url}/login`, { method: 'POST', body, headers })
    const { token } = (await login.json()) as { token: string }
    await fetch(`${first.url}/v1/events/1`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
    expect(await first.stop('SIGTERM')).toBe(0)
    expect(first.output.join('\n')).not.toContain(env.ORGANISER_PASSWORD)
    const accounts = await readFile(path.join(env.DATA_DIR, 'accounts.txt'), 'utf8')
    expect(accounts).toMatch(/^admin \S+\n$/)

    await using second = await start(env)
    expect((await fetch(`${second.url}/v1/events/1`)).status).toBe(404)
    expect((await fetch(`${second.url}/v1/events/2`)).status).toBe(200)
    expect(await second.stop('SIGTERM')).toBe(0)
    expect(await readdir(path.join(env.DATA_DIR, 'postgres'))).not.toContain('postmaster.pid')
  }, 120_000)

  test('answers a request that was on its way when the signal came', async () => {
    await using database = await pool.acquire()
    await using service = await start({ ...lone('drain'), DATABASE_URL: database.url, ROLE: 'web' })
    const token = await sessionOn(database)
    const { hostname, port } = new URL(service.url)
    const socket = connect(Number(port), hostname)
    const text = exportOf
    const head = [
      'POST /v1/exports HTTP/1.1',
      `Host: ${hostname}`,
      `Authorization: Bearer ${token}`,
      'Content-Type: application/vnd.api+json',
      `Content-Length: ${text.length}`,
      '',
      text.slice(0, 10),
    ]
    socket.write(head.join('\r\n'))
    // The service has the head of the request once it asks for nothing more; another answer proves that it read on.
    await (await fetch(`${service.url}/ping`)).text()
    const ended = service.stop('SIGTERM')
    await until('stopping', () =>
      Promise.resolve(service.output.some((line) => line.includes('stopping')) ? true : undefined),
    )
    socket.write(text.slice(10))
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString('utf8')).toMatch(/^HTTP\/1\.1 201 /)
    expect(await ended).toBe(0)
  }, 60_000)
})

test('files go to a bucket where one is named, and come back from it', async () => {
  await using database = await pool.acquire()
  const token = await sessionOn(database)
  const server = await startFauxqs({ port: 0, logger: false })
  const endpoint = `http://127.0.0.1:${server.port}`
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
  await client.send(new CreateBucketCommand({ Bucket: 'uploads' }))
  await using service = await start({
    DATABASE_URL: database.url,
    DATA_DIR: path.join(folder, 'bucket'),
    SEED: 'false',
    S3_BUCKET: 'uploads',
    S3_ENDPOINT: endpoint,
    S3_PREFIX: 'events/',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
  const body = new FormData()
  body.append('files', new Blob(['plain words\n']), 'words.txt')
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${service.url}/v1/upload/files`, { method: 'POST', headers, body })
  expect(answer.status).toBe(201)
  const { data } = (await answer.json()) as { data: { attributes: { url: string; key: string } }[] }
  const { url, key } = data[0]!.attributes
  const served = await fetch(service.url + url)
  expect([served.headers.get('content-type'), await served.text()]).toEqual([
    'text/plain; charset=us-ascii',
    'plain words\n',
  ])
  const stored = await client.send(new HeadObjectCommand({ Bucket: 'uploads', Key: `events/${key}` }))
  expect(stored.ContentType).toMatch(/^text\/plain/)
  expect(await service.stop('SIGTERM')).toBe(0)
  client.destroy()
  await server.stop()
}, 60_000)

test('SIGKILL right after the answer loses no job that waits in Postgres', async () => {
  await using database = await pool.acquire()
  const token = await sessionOn(database)
  const env = { DATABASE_URL: database.url, DATA_DIR: path.join(folder, 'killed') }
  await using web = await start({ ...env, ROLE: 'web' })
  expect((await postExport(web.url, token)).status).toBe(201)
  await web.stop('SIGKILL')
  await using worker = await start({ ...env, ROLE: 'worker' })
  expect(await allDone(database, 1)).toEqual([{ state: 'done', version: 2 }])
  expect(await worker.stop('SIGTERM')).toBe(0)
}, 120_000)

await describeWith('redis', 'with Redis', () => {
  test('SIGKILL between commit and enqueue loses nothing', async () => {
    await using database = await pool.acquire()
    const token = await sessionOn(database)
    const dir = await mkdtemp(path.join(folder, 'redis-'))
    const first = await startRedis({ appendOnly: true, dir })
    const env = { DATABASE_URL: database.url, REDIS_URL: first.url, DATA_DIR: path.join(folder, 'redis-killed') }
    await using web = await start({ ...env, ROLE: 'web' })
    // With Redis gone the commit is the last thing that can happen: the job is in no queue when the process dies.
    await first.kill()
    const answers = await Promise.all(Array.from({ length: 5 }, () => postExport(web.url, token)))
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201])
    await web.stop('SIGKILL')
    await using second = await startRedis({ appendOnly: true, dir, port: first.port })
    expect(second.url).toBe(first.url)
    await using worker = await start({ ...env, ROLE: 'worker' })
    expect(await allDone(database, 5)).toEqual(Array.from({ length: 5 }, () => ({ state: 'done', version: 2 })))
    expect(await worker.stop('SIGTERM')).toBe(0)
  }, 120_000)

  test('two web and two worker processes restart one by one under load: no request and no job lost or doubled', async () => {
    await using database = await pool.acquire()
    const token = await sessionOn(database)
    await using redis = await startRedis({ appendOnly: true })
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      DATA_DIR: path.join(folder, 'rolling'),
      DATABASE_POOL: '4',
    }
    const ports = [await freePort(), await freePort()]
    const startWeb = (index: number) => start({ ...env, ROLE: 'web', PORT: String(ports[index]) })
    const startWorker = () => start({ ...env, ROLE: 'worker' })
    await using stack = new AsyncDisposableStack()
    const webs: ServiceProcess[] = await Promise.all([startWeb(0), startWeb(1)])
    const workers: ServiceProcess[] = await Promise.all([startWorker(), startWorker()])
    for (const service of [...webs, ...workers]) stack.use(service)

    let done = false
    let accepted = 0
    const surprises: string[] = []
    const client = async (index: number) => {
      for (let turn = index; !done; turn += 1) {
        // Some hundred requests a second are load enough; the processors are for the services.
        await pause(5)
        const url = `http://127.0.0.1:${ports[turn % 2]}`
        try {
          // Mostly reads, so that the jobs of the writes are some hundreds and not thousands.
          const isWrite = turn % 25 < 2
          const response = isWrite ? await postExport(url, token) : await fetch(`${url}/v1/events?include=sessions`)
          await response.text()
          if (response.status === 201) accepted += 1
          // A process that starts says so; a balancer asks /ready and sends nothing yet.
          else if (response.status !== 200 && response.status !== 503) surprises.push(`${response.status}`)
        } catch (error) {
          // A balancer would try the other one: the connection was refused or ended before anything was accepted.
          const { code } = (error as { cause?: { code?: string } }).cause ?? {}
          if (code !== 'ECONNREFUSED' && code !== 'UND_ERR_SOCKET' && code !== 'ECONNRESET')
            surprises.push(String(error))
        }
      }
    }
    const clients = [client(0), client(1), client(2)]
    for (const index of [0, 1]) {
      const ends = [webs[index]!.stop('SIGTERM'), workers[index]!.stop('SIGTERM')]
      expect(await Promise.all(ends)).toEqual([0, 0])
      const [web, worker] = await Promise.all([startWeb(index), startWorker()])
      webs[index] = stack.use(web)
      workers[index] = stack.use(worker)
    }
    done = true
    await Promise.all(clients)
    expect(surprises).toEqual([])
    expect(accepted).toBeGreaterThan(0)
    // As many as were answered with 201, each written once by its job.
    const tasks = await allDone(database, accepted)
    expect(tasks.filter(({ version }) => version !== 2)).toEqual([])
    const codes = await Promise.all([...webs, ...workers].map((service) => service.stop('SIGTERM')))
    expect(codes).toEqual([0, 0, 0, 0])
  }, 180_000)
})
