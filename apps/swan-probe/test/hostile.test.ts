import { spawn } from 'node:child_process'
import { lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

import { describeWith, freePort } from '@org/services'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { type ContainerState, type Conversation, Engine, type ExecResult } from '../src/docker/engine.ts'
import { insideWord } from '../src/docker/inside-word.ts'
import { toMessage } from '../src/docker/messages.ts'
import { runInContainer } from '../src/docker/user-mode.ts'
import { ProbeError } from '../src/errors.ts'
import { StuckMemory } from '../src/isolation/stuck.ts'
import { renderHtml } from '../src/reports/html.ts'
import { LiveProgress } from '../src/reports/live.ts'
import { mark } from '../src/reports/marks.ts'
import { renderReport } from '../src/reports/render.ts'
import type { ProbeResult, Report } from '../src/runner/result.ts'
import { configOf } from './config.ts'
import { resultOf } from './report.ts'
import { verdicts } from './run.ts'

vi.setConfig({ testTimeout: 30_000 })

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hostile-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const main = path.join(import.meta.dirname, '../src/main.ts')
const oneProbe = 'tests: {storage: {exists: {filePath: /etc/passwd}}}'

/** A container whose user decides what it answers. */
class HostileEngine extends Engine {
  readonly commands: { readonly command: readonly string[]; readonly user: string | undefined }[] = []
  readonly #output: (input: PassThrough) => Conversation['output']
  readonly #upload: () => Promise<void>

  constructor(output: HostileEngine['output'], upload = () => Promise.resolve()) {
    super('/nowhere')
    this.#output = output
    this.#upload = upload
  }

  declare readonly output: (input: PassThrough) => Conversation['output']

  override inspect(name: string): Promise<ContainerState> {
    return Promise.resolve({ id: name, running: true, paused: false, health: undefined, status: 'running', user: '' })
  }

  override exec(_: string, { command, user }: Parameters<Engine['exec']>[1]): Promise<ExecResult> {
    this.commands.push({ command, user })
    return Promise.resolve({ exitCode: 0, stdout: Buffer.from('v24.0.0'), stderr: Buffer.alloc(0) })
  }

  override talk(): Promise<Conversation> {
    const input = new PassThrough().resume()
    return Promise.resolve({ input, output: this.#output(input), exitCode: () => Promise.resolve(0) })
  }

  override putArchive(): Promise<void> {
    return this.#upload()
  }
}

async function* say(message: unknown): Conversation['output'] {
  yield { stream: 'stdout', bytes: Buffer.from(`${JSON.stringify(message)}\n`) }
  await Promise.resolve()
}

const reportOf = (result: object): Report => ({
  runId: 'r',
  host: 'h',
  startedAt: Date.now(),
  seconds: 1,
  cut: false,
  results: [{ ...resultOf({ name: 'exists', status: 'pass' }), ...result }],
})

const visit = (engine: Engine, options: { deadlineSeconds?: number } = {}) =>
  runInContainer(configOf(oneProbe).entries, 'u', { engine, bundle: main, ...options })

describe('a container whose user is not to be trusted', () => {
  const markup = '<img src=x onerror=alert(1)>'

  test.each([
    { code: markup },
    { status: markup },
    { status: 'constructor' },
    { seconds: markup },
    { metrics: undefined },
    { metrics: [{ name: 'stat_seconds', value: markup, unit: 's' }] },
    { metrics: [{ name: 'stat_seconds', value: 1, unit: markup }] },
    { lines: [7] },
    { left: 'all' },
    { startedAt: 1e300 },
    { samples: { stat_seconds: [markup] } },
    { samples: { [markup]: [1] } },
    { metrics: [{ name: "a'=1;", value: 1, unit: 's' }] },
    { metrics: Array(2).fill({ name: 'stat_seconds', value: 1, unit: 's' }) },
  ])('cannot bring %j into a report', async (forged) => {
    const report = await visit(new HostileEngine(() => say({ kind: 'report', report: reportOf(forged) })))
    expect(report.results).toMatchObject([{ id: 'storage.exists', status: 'fail', code: 'PROBE_CONTAINER_EXEC' }])
    expect(renderHtml(report)).not.toContain('<img')
  })

  test('brings an honest report, without more than was asked for', async () => {
    const honest = reportOf({ lines: ['[INFO] 1 a| b'], message: 'fine' })
    const more = { ...honest, results: [...honest.results, resultOf({ name: 'delete' })] }
    const report = await visit(new HostileEngine(() => say({ kind: 'report', report: more })))
    expect(report.results).toEqual(honest.results)
  })

  test('cannot fill the memory of the runner', async () => {
    let sent = 0
    async function* endless(): Conversation['output'] {
      for (; sent < 64; sent++)
        yield { stream: sent % 2 === 0 ? 'stderr' : 'stdout', bytes: Buffer.alloc(1 << 20, 'x') }
      await Promise.resolve()
    }
    const report = await visit(new HostileEngine(endless))
    expect(report.results).toMatchObject([{ status: 'fail', code: 'PROBE_CONTAINER_EXEC' }])
    expect(sent).toBeLessThan(40)
  })

  test('does not get its own `node` run as root', async () => {
    const engine = new HostileEngine(() => say({ kind: 'report', report: reportOf({}) }))
    await visit(engine)
    const asRoot = engine.commands.filter(({ user }) => user === '0').map(({ command }) => command[0])
    expect(asRoot).toEqual(['/bin/rm'])
  })

  test('is rid of an upload that was cut', async () => {
    const cut = () => Promise.reject(new ProbeError('PROBE_DOCKER_UNREACHABLE', 'cut'))
    const engine = new HostileEngine(() => say({}), cut)
    await visit(engine)
    expect(engine.commands.at(-1)).toMatchObject({ command: ['/bin/rm', '-rf', expect.stringMatching(/^\/tmp\/swan/)] })
  })

  test('cannot hold the runner by saying nothing, nor by saying the same again', async () => {
    async function* frozen(): Conversation['output'] {
      const bytes = (message: object) => Buffer.from(`${JSON.stringify(message)}\n`)
      yield { stream: 'stdout', bytes: bytes({ kind: 'started', id: 'storage.exists' }) }
      const [result] = reportOf({}).results
      yield { stream: 'stdout', bytes: bytes({ kind: 'finished', result }) }
      yield { stream: 'stdout', bytes: bytes({ kind: 'started', id: 'storage.delete' }) }
      for (;;) {
        await delay(100)
        yield { stream: 'stdout', bytes: bytes({ kind: 'started', id: 'storage.delete' }) }
        yield { stream: 'stdout', bytes: bytes({ kind: 'line', id: 'storage.delete', line: 'still here' }) }
      }
    }
    const { entries } = configOf(`tests:
  storage:
    exists: {filePath: /etc/passwd}
    delete: {filePath: /tmp/0.txt, timeout: 0.5}
    checksum: {fileNumber: 1, fileSize: 1K, filePath: /tmp/}`)
    const told: string[] = []
    const listener = { finished: ({ id, status }: ProbeResult) => told.push(`${id} ${status}`) }
    const report = await runInContainer(entries, 'u', { engine: new HostileEngine(frozen), bundle: main, listener })
    expect(verdicts(report)).toEqual([
      ['storage.exists', 'pass'],
      ['storage.delete', 'fail PROBE_TIMEOUT'],
      ['storage.checksum', 'skipped PROBE_NEEDS'],
    ])
    expect(report.seconds).toBeLessThan(5)
    expect(told).toEqual(['storage.exists pass', 'storage.delete fail', 'storage.checksum skipped'])
  })

  test('is left with a word about what it kept', async () => {
    class Keeps extends HostileEngine {
      override exec(...[name, options]: Parameters<Engine['exec']>): Promise<ExecResult> {
        return options.command[0] === '/bin/rm'
          ? Promise.reject(new ProbeError('PROBE_CONTAINER_STATE', 'is paused'))
          : super.exec(name, options)
      }
    }
    const report = await visit(new Keeps(() => say({ kind: 'report', report: reportOf({}) })))
    expect(report.results).toMatchObject([
      { status: 'pass', left: [expect.stringMatching(/^`\/tmp\/swan-probe-\w+` in `jupyter-u` \(is paused\)$/)] },
    ])
  })

  test('writes neither escape sequences nor lines of its own on the terminal or into a report', async () => {
    const nasty = '\u001B]52;c;cm0gLXJm\u0007\u001B[2J\r\u009B31m\u202Eevil\u2066\nPASS  storage.write'
    const heard: string[] = []
    const listener = {
      started: (id: string) => heard.push(id),
      line: (id: string, line: string) => heard.push(`${id} ${line}`),
    }
    async function* all(): Conversation['output'] {
      for (const id of [nasty, 'storage.exists']) {
        yield* say({ kind: 'started', id })
        yield* say({ kind: 'line', id, line: nasty })
      }
      yield* say({
        kind: 'report',
        report: reportOf({ status: 'fail', message: nasty, lines: [nasty], left: [nasty] }),
      })
    }
    const report = await runInContainer(configOf(oneProbe).entries, 'u', {
      engine: new HostileEngine(all),
      bundle: main,
      listener,
    })
    expect(heard.map((text) => text.slice(0, 14))).toEqual(['storage.exists', 'storage.exists'])
    const stream = new PassThrough().setEncoding('utf8')
    using live = new LiveProgress(stream as unknown as NodeJS.WriteStream)
    live.finished(report.results[0]!)
    const drawn = String(stream.read()).replaceAll('\r\u001B[K', '').replaceAll(mark('fail', true), '')
    const shown = await Promise.all(
      (['table', 'log', 'json', 'junit', 'nagios', 'html'] as const).map((format) =>
        renderReport(format, report, { colour: false }),
      ),
    )
    for (const text of [...heard, ...report.results[0]!.lines, drawn, ...shown]) {
      expect(text.replaceAll(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u)
      expect(text).not.toMatch(/^PASS {2}storage\.write/m)
    }
    expect(shown[0]).toContain(String.raw`\u001b]52;c;`)
    // What a machine reads back is what was said.
    expect(JSON.parse(shown[2] ?? '')).toMatchObject({ results: [{ message: nasty }] })
  })

  test('ends at the deadline of the run', async () => {
    async function* untilEnd(input: PassThrough): Conversation['output'] {
      await new Promise((resolve) => input.on('finish', resolve))
      yield* say({ kind: 'report', report: { ...reportOf({ status: 'skipped' }), cut: true } })
    }
    const report = await visit(new HostileEngine(untilEnd), { deadlineSeconds: 0.1 })
    expect(report).toMatchObject({ cut: true, results: [{ status: 'skipped' }] })
  })
})

test('inside a container, a runner that is gone does not keep files from being put away', async () => {
  const { entries } = configOf(`tests: {storage: {checksum: {fileNumber: 40, fileSize: 4M, filePath: ${folder}/}}}`)
  const child = spawn(process.execPath, [main, insideWord], { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.write(`${JSON.stringify(entries.map(toMessage))}\n`)
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await vi.waitUntil(() => readdirSync(folder).length > 0, { timeout: 20_000 })
  child.stdout.destroy()
  child.stdin.destroy()
  await new Promise((resolve) => child.on('close', resolve))
  expect(readdirSync(folder)).toEqual([])
})

test('keys of every object are no keys of the file, and an alias to nothing is told by its place', () => {
  const wrong = (text: string) => {
    try {
      configOf(text)
      return 'read'
    } catch (error) {
      return error instanceof ProbeError ? error.code : String(error)
    }
  }
  const texts = [
    'tests: {storage: {exists: {filePath: /a, constructor: 1}}}',
    'tests: {storage: {mount: {mode: constructor}}}',
    'tests: {constructor: {}}',
    `${oneProbe}\nwatch: {toString: 1}`,
    `${oneProbe}\nwatch: *nothing`,
    'tests: {storage: {exists: {filePath: *nothing}}}',
  ]
  expect(texts.map(wrong)).toEqual(texts.map(() => 'PROBE_CONFIG'))
})

test('the watcher outlives a run that finds no free descriptor', async () => {
  const port = await freePort()
  const file = path.join(folder, 'watch.yaml')
  writeFileSync(file, `${oneProbe}\nwatch: {port: ${port}, every: 0.2, jitter: 0}\n`)
  const command = `ulimit -n 48; exec "${process.execPath}" "${main}" watch -c "${file}"`
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise<string>((resolve) => child.on('close', () => resolve('ended')))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const sockets: Socket[] = []
  for (let index = 0; index < 80; index++) sockets.push(connect(port, '127.0.0.1').on('error', () => {}))
  expect(await Promise.race([ended, delay(3000, 'runs')])).toBe('runs')
  for (const socket of sockets) socket.destroy()
  await vi.waitUntil(async () => (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined))?.ok, {
    timeout: 10_000,
  })
  child.kill('SIGINT')
  await ended
})

await describeWith('fuse', 'a shared temporary folder', () => {
  test('is not written to through a link that somebody else put there', () => {
    const target = path.join(folder, 'target')
    const theirs = path.join(folder, 'theirs')
    mkdirSync(target)
    mkdirSync(theirs)
    symlinkSync(target, path.join(theirs, 'stuck'))
    lchownSync(theirs, 65_534, 65_534)
    lchownSync(path.join(theirs, 'stuck'), 65_534, 65_534)
    const memory = new StuckMemory(path.join(theirs, 'stuck'))
    memory.remember({ pid: process.pid, device: '0:1', mountPoint: '/x', step: 'stat', since: '' })
    expect(readdirSync(target)).toEqual([])
  })
})
