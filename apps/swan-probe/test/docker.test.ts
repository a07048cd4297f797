import { createServer } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describeWith } from '@org/services'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { Engine } from '../src/docker/engine.ts'
import { type Containers, makeContainers } from './containers.ts'
import { runProbe } from './run.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const prefix = `probe-docker-${process.pid}`
const check = (name: string, timeout = 10) => runProbe('user_docker.docker', { container_name: name, timeout })

await describeWith('docker', 'a container', () => {
  let containers: Containers

  beforeAll(async () => {
    containers = await makeContainers('user2')
    await containers.run(`${prefix}-user10`)
  }, 60_000)

  afterAll(() => containers[Symbol.asyncDispose]())

  test('that runs and takes a command passes', async () => {
    const result = await check(`${prefix}-user10`)
    expect(result).toMatchObject({ status: 'pass' })
    expect(result.lines.at(-1)).toContain('exit code :0')
  })

  test.each([
    ['whose name is the beginning of another', `${prefix}-user1`],
    ['that does not exist', `${prefix}-nobody`],
  ])('%s is missing', async (_, name) => {
    expect(await check(name)).toMatchObject({ status: 'fail', code: 'PROBE_CONTAINER_MISSING' })
  })

  test('is not found by the beginning of its id', async () => {
    const id = await containers.docker('inspect', '--format', '{{.Id}}', `${prefix}-user10`)
    expect(await check(id.slice(0, 12))).toMatchObject({ status: 'fail', code: 'PROBE_CONTAINER_MISSING' })
    expect(await check(id)).toMatchObject({ status: 'pass' })
  })

  test('that is paused or has ended fails with its state', async () => {
    await containers.run(`${prefix}-paused`)
    await containers.docker('pause', `${prefix}-paused`)
    expect(await check(`${prefix}-paused`)).toMatchObject({
      status: 'fail',
      code: 'PROBE_CONTAINER_STATE',
      message: expect.stringContaining('is paused'),
    })
    await containers.docker('unpause', `${prefix}-paused`)
    await containers.run(`${prefix}-ended`, { command: ['true'] })
    await containers.docker('wait', `${prefix}-ended`)
    expect(await check(`${prefix}-ended`)).toMatchObject({
      code: 'PROBE_CONTAINER_STATE',
      message: expect.stringContaining('is exited'),
    })
  })

  test('that its own health check calls unhealthy fails', async () => {
    const name = `${prefix}-unhealthy`
    await containers.run(name, {
      flags: ['--health-cmd', 'false', '--health-interval', '100ms', '--health-retries', '1'],
    })
    const health = () => containers.docker('inspect', '--format', '{{.State.Health.Status}}', name)
    await expect.poll(health, { timeout: 10_000 }).toBe('unhealthy')
    expect(await check(name)).toMatchObject({
      status: 'fail',
      code: 'PROBE_CONTAINER_STATE',
      message: expect.stringContaining('unhealthy'),
    })
  })

  test('without `ls` fails with what the engine says', async () => {
    const name = `${prefix}-bare`
    await containers.run(name, { flags: ['-v', '/dev/null:/bin/ls:ro'] })
    expect(await check(name)).toMatchObject({
      status: 'fail',
      code: 'PROBE_CONTAINER_EXEC',
      message: expect.stringContaining('exits 126'),
    })
  })

  test('whose command never ends fails at the limit', async () => {
    const name = `${prefix}-endless`
    const program = path.join(mkdtempSync(path.join(tmpdir(), 'endless-')), 'ls')
    writeFileSync(program, '#!/bin/sh\nexec sleep 3600\n', { mode: 0o755 })
    await containers.run(name, { flags: ['-v', `${program}:/bin/ls:ro`] })
    const result = await check(name, 1)
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
    rmSync(path.dirname(program), { recursive: true })
  })
})

describe('an engine', () => {
  test('whose socket is missing is told', async () => {
    vi.stubEnv('DOCKER_HOST', 'unix:///does/not/exist.sock')
    expect(await check('any')).toMatchObject({
      status: 'fail',
      code: 'PROBE_DOCKER_UNREACHABLE',
      message: 'The Docker engine on `/does/not/exist.sock` does not exist',
    })
  })

  test('that never answers fails at the limit', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'engine-'))
    const socket = path.join(dir, 'docker.sock')
    const silent = createServer(() => {})
    silent.listen(socket)
    vi.stubEnv('DOCKER_HOST', `unix://${socket}`)
    expect(await check('any', 1)).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
    silent.close()
    silent.closeAllConnections()
    rmSync(dir, { recursive: true })
  })

  test('whose container froze answers no command: the wait ends with the limit of the step', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'engine-'))
    const socket = path.join(dir, 'docker.sock')
    const frozen = createServer((request, response) => {
      if (request.url?.endsWith('/exec') === true) response.writeHead(201).end('{"Id": "1"}')
      // The command was started, and never says a word.
      else if (request.headers.upgrade === undefined) response.writeHead(200).flushHeaders()
    })
    frozen.on('upgrade', () => {})
    frozen.listen(socket)
    const engine = new Engine(socket)
    const step = () => ({ command: ['node', '--version'], signal: AbortSignal.timeout(300) })
    await expect(engine.exec('c', step())).rejects.toMatchObject({
      code: 'PROBE_TIMEOUT',
      message: '`node --version` in `c` does not end',
    })
    await expect(engine.talk('c', step())).rejects.toMatchObject({ code: 'PROBE_DOCKER_UNREACHABLE' })
    frozen.close()
    frozen.closeAllConnections()
    rmSync(dir, { recursive: true })
  })
})
