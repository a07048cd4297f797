import { PassThrough } from 'node:stream'

import { describeWith } from '@org/services'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { type Conversation, Engine } from '../src/docker/engine.ts'
import { runInContainer } from '../src/docker/user-mode.ts'
import { buildBundle } from './bundle.ts'
import { configOf } from './config.ts'
import { type Containers, makeContainers } from './containers.ts'
import type { Started } from './hub-in-container.ts'
import { verdicts } from './run.ts'

const session = `probe${process.pid}`
const known = `known${process.pid}`
const token = 'hub-token-that-stays-outside'

const storage = `
tests:
  storage:
    write: {fileSize: 64K, filepath: home/user2/0.txt}
    exists: {filepath: home/user2/0.txt}
    delete: {filepath: home/user2/0.txt}
    checksum: {fileNumber: 2, fileSize: 64K, filepath: home/user2/}
  jupyterhub_api:
    check_api: {token: ${token}}
`

await describeWith('docker', 'user mode', () => {
  let containers: Containers
  let bundle: Awaited<ReturnType<typeof buildBundle>>
  const withNode = ['-v', `${process.execPath}:/usr/local/bin/node:ro`]

  beforeAll(async () => {
    ;[containers, bundle] = await Promise.all([makeContainers(known), buildBundle()])
    await containers.run(`jupyter-${session}`, { flags: withNode })
    await containers.run(`jupyter-${session}-bare`)
    await containers.run(`jupyter-${session}-2dgone`, { command: ['true'] })
  }, 60_000)

  afterAll(async () => {
    bundle[Symbol.dispose]()
    await containers[Symbol.asyncDispose]()
  })

  const changes = async (name: string) =>
    (await containers.docker('diff', name)).split('\n').filter((line) => /swan-probe|0\.txt/.test(line))

  test.each([
    ['its own Node', session],
    ['the Node that it brings', `${session}-bare`],
  ])(
    'runs in a container on %s, brings the report back and leaves nothing',
    async (_, name) => {
      const { entries } = configOf(storage)
      const lines: string[] = []
      const report = await runInContainer(entries.slice(0, 4), name, {
        bundle: bundle.file,
        listener: { line: (id, line) => lines.push(`${id} ${line}`) },
      })
      expect(report.results.map(({ id, status, message }) => [id, status, message])).toEqual([
        ['storage.write', 'pass', undefined],
        ['storage.exists', 'pass', undefined],
        ['storage.delete', 'pass', undefined],
        ['storage.checksum', 'pass', undefined],
      ])
      expect(lines.some((line) => line.includes('successfully written'))).toBe(true)
      expect(await changes(`jupyter-${name}`)).toEqual([])
    },
    60_000,
  )

  test('runs as the user of the session where the container knows that user', async () => {
    await containers.run(`jupyter-${known}`, { flags: withNode })
    const { entries } = configOf('tests: {storage: {write: {fileSize: 1K, filepath: /etc/0.txt}}}')
    const report = await runInContainer(entries, known, { bundle: bundle.file })
    expect(report.results[0]).toMatchObject({ status: 'fail', message: expect.stringContaining('EACCES') })
  })

  test('sends no token into the container of a session', async () => {
    const { entries } = configOf(storage)
    const sent: string[] = []
    class Overheard extends Engine {
      override async talk(...words: Parameters<Engine['talk']>): Promise<Conversation> {
        const conversation = await super.talk(...words)
        const input = new PassThrough()
        input.on('data', (chunk: Buffer) => sent.push(chunk.toString()))
        input.pipe(conversation.input)
        return { ...conversation, input }
      }
    }
    await runInContainer(entries, session, { bundle: bundle.file, engine: new Overheard() })
    expect(sent.join('')).toContain('storage.checksum')
    expect(sent.join('')).not.toContain(token)
  })

  test('runs the probes of the hub in its container, with its token and without a trace', async () => {
    const hubContainer = `hub-${session}`
    await containers.run(hubContainer, {
      flags: [...withNode, '-v', `${import.meta.dirname}:/test:ro`],
      command: [
        'node',
        '--disable-warning=ExperimentalWarning',
        '/test/hub-in-container.ts',
        '/home/user2/jupyterhub.sqlite',
      ],
    })
    const started = async () => JSON.parse(await containers.docker('logs', hubContainer)) as Started
    const hub = await vi.waitFor(started, { timeout: 30_000, interval: 100 })
    // The engine lists them in any order.
    const disk = async () => (await containers.docker('diff', hubContainer)).split('\n').toSorted()
    const before = await disk()
    const address = { scheme: 'http', hostname: '127.0.0.1', port: hub.port }
    const alice = { ...address, token: hub.token, users: ['alice'] }
    const { entries } = configOf(
      JSON.stringify({
        tests: {
          jupyterhub_api: {
            check_api: address,
            token: alice,
            create_session: { ...alice, delay: 20 },
            check_session: alice,
            stop_session: alice,
          },
          database: { servers: { path: '/home/user2/jupyterhub.sqlite', user: 'alice', mode: 'active' } },
        },
      }),
    )
    const report = await runInContainer(entries, session, { bundle: bundle.file, hubContainer })
    expect(verdicts(report)).toEqual([
      ['jupyterhub_api.check_api', 'pass'],
      ['jupyterhub_api.token', 'pass'],
      ['jupyterhub_api.create_session', 'pass'],
      ['jupyterhub_api.check_session', 'pass'],
      ['jupyterhub_api.stop_session', 'pass'],
      ['database.servers', 'pass'],
    ])
    expect(JSON.stringify(report)).not.toContain(hub.token)
    expect(await disk()).toEqual(before)
    expect(await containers.docker('inspect', hubContainer)).not.toContain(hub.token)

    // The same hub with another token: the verdict comes from inside, too.
    const wrong = configOf(
      JSON.stringify({ tests: { jupyterhub_api: { token: { ...alice, token: 'f'.repeat(32) } } } }),
    )
    const refused = await runInContainer(wrong.entries, session, { bundle: bundle.file, hubContainer })
    expect(verdicts(refused)).toEqual([['jupyterhub_api.token', 'fail PROBE_TOKEN_REJECTED']])
  })

  test('looks for probes of the hub in the container of the hub only', async () => {
    const { entries } = configOf(storage)
    const report = await runInContainer(entries, session, { bundle: bundle.file })
    const api = report.results.at(-1)
    expect(api).toMatchObject({ id: 'jupyterhub_api.check_api', status: 'fail', code: 'PROBE_CONTAINER_MISSING' })
    expect(report.results.filter((result) => result.status === 'pass')).toHaveLength(4)
  })

  test.each([
    ['is missing', 'nobody', 'PROBE_CONTAINER_MISSING'],
    ['has ended', `${session}-2dgone`, 'PROBE_CONTAINER_STATE'],
  ])('fails every probe when the container %s', async (_, name, code) => {
    const { entries } = configOf(storage)
    const report = await runInContainer(entries.slice(0, 4), name, { bundle: bundle.file })
    expect(report.results.map((result) => [result.status, result.code])).toEqual(Array(4).fill(['fail', code]))
  })

  test('is over soon after its limits when the container freezes, and keeps what was told by then', async () => {
    const frozen = `${session}-frozen`
    const name = `jupyter-${frozen.replaceAll('-', '-2d')}`
    await containers.run(name, { flags: withNode })
    const { entries } = configOf(`
tests:
  storage:
    exists: {filePath: /etc/passwd}
    throughput: {fileNumber: 1000000, fileSize: 4K, filePath: /tmp/, timeout: 10}`)
    let paused: Promise<unknown> | undefined
    const report = await runInContainer(entries, frozen, {
      bundle: bundle.file,
      listener: {
        line: (id, line) => {
          if (id === 'storage.throughput' && line.includes('PERF')) paused ??= containers.docker('pause', name)
        },
      },
    })
    await paused
    expect(verdicts(report)).toEqual([
      ['storage.exists', 'pass'],
      ['storage.throughput', 'fail PROBE_TIMEOUT'],
    ])
    expect(report.results[1]?.message).toContain('is it frozen?')
    // Limit, start and a second; the machine may be busy with other tests.
    expect(report.seconds).toBeLessThan(17)
    expect(report.results[0]?.left).toEqual([expect.stringMatching(/^`\/tmp\/swan-probe-/)])
    await containers.docker('unpause', name)
  })

  test('on an interrupt stops the run inside, brings what there is, and leaves nothing', async () => {
    const { entries } = configOf(`
tests: {storage: {throughput: {fileNumber: 100000, fileSize: 4K, filepath: /tmp/}}}`)
    const stop = new AbortController()
    const report = await runInContainer(entries, session, {
      bundle: bundle.file,
      signal: stop.signal,
      listener: { line: (_, line) => line.includes('PERF') && stop.abort() },
    })
    expect(report.results[0]).toMatchObject({ status: 'error', code: 'PROBE_CANCELLED' })
    expect(await changes(`jupyter-${session}`)).toEqual([])
  })
})
