import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describeWith } from '@org/services'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { probes } from '../src/probes/registry.ts'
import { swanProbe } from './cli.ts'
import { startFakeHub } from './fake-hub.ts'
import { hungMount } from './mounts.ts'

let dir: string

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'cli-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

const file = (tests: unknown, more: Readonly<Record<string, unknown>> = {}, name = 'test.yaml') => {
  writeFileSync(path.join(dir, name), JSON.stringify({ tests, ...more }))
  return name
}
const storage = () => ({
  write: { fileSize: '10', filepath: `${dir}/0.txt` },
  exists: { filepath: `${dir}/0.txt` },
  delete: { filepath: `${dir}/0.txt` },
})
const failing = { exists: { filePath: '/does/not/exist' } }

describe('exit codes', () => {
  test('0 when all pass, 1 when one does not, and the others still run', async () => {
    expect((await swanProbe(['-c', file({ storage: storage() })], { cwd: dir })).code).toBe(0)
    const mixed = { storage: failing, cvmfs: { ttfb: { repoPath: '/', filePath: '/etc/passwd' } } }
    const { code, stdout } = await swanProbe(['-c', file(mixed)], { cwd: dir })
    expect(code).toBe(1)
    expect(stdout.split('\n').slice(-3)).toEqual([
      'Total tests passed 1 Total number of tests 2',
      "['cvmfs_test_ttfb']",
      '',
    ])
  })

  test.each<[string, readonly string[], string]>([
    ['no file', ['-t', 'storage'], 'Expected -c FILE'],
    ['a missing file', ['-c', 'missing.yaml'], 'ENOENT'],
    ['a wrong file', ['-c', 'wrong.yaml'], 'wrong.yaml:1:22: Unknown probe `x`'],
    ['an empty file', ['-c', 'empty.yaml'], 'The file names no probe'],
    ['an unknown group', ['-c', 'good.yaml', '-t', 'storag'], 'did you mean `storage`?'],
    ['a group that the file does not have', ['-c', 'good.yaml', '-t', 'cvmfs'], 'The file has no probe of `cvmfs`'],
    ['an unknown flag', ['-c', 'good.yaml', '--tset', 'storage'], "Unknown option '--tset'"],
    ['an unknown command', ['chekc'], 'Unknown command `chekc`'],
    ['-u without a session', ['-c', 'good.yaml', '-u'], '-u needs -s NAME'],
    ['a session without -u', ['-c', 'good.yaml', '-s', 'user2'], '-s NAME goes with -u'],
    ['an unknown format', ['-c', 'good.yaml', '-f', 'xml'], 'Expected a format of table'],
    ['two formats on one output', ['-c', 'good.yaml', '-f', 'json', '-f', 'junit'], 'Only one format'],
    ['a deadline of nothing', ['-c', 'good.yaml', '--deadline', '0'], 'Expected --deadline'],
    ['an unknown probe', ['run', 'storage.wirte'], 'did you mean `storage.write`?'],
    ['a probe without its keys', ['run', 'storage.write', '--fileSize', '1M'], 'needs `filePath`'],
    ['a wrong value', ['run', 'storage.write', '--fileSize', 'x', '--filePath', '/'], 'Expected `fileSize`'],
    ['explain without a probe', ['explain'], 'Unknown probe'],
    ['a health set that is none', ['health', 'alive', '-c', 'good.yaml'], 'Expected health startup|liveness|readiness'],
    ['a health set that the file lacks', ['health', 'liveness', '-c', 'good.yaml'], 'no health set `liveness`'],
  ])('2 for %s, with what to do', async (_, words, message) => {
    file({ storage: failing }, {}, 'good.yaml')
    file({}, {}, 'empty.yaml')
    file({ storage: { x: {} } }, {}, 'wrong.yaml')
    const { code, stdout, stderr } = await swanProbe(words, { cwd: dir })
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('of a monitoring plugin with --format nagios', async () => {
    const { code, stdout } = await swanProbe(['-c', file({ storage: failing }), '-f', 'nagios'], { cwd: dir })
    expect(code).toBe(2)
    expect(stdout).toMatch(/^SWAN-PROBE CRITICAL - 0 of 1 passed; storage\.exists: .*\|/)
    const warn = { mount_sanity: { mountpoints: [dir], timeout: 5, thresholds: { seconds: { warn: '@0:' } } } }
    expect(await swanProbe(['-c', file({ storage: warn }), '-f', 'nagios'], { cwd: dir })).toMatchObject({ code: 1 })
    expect(await swanProbe(['-c', file({ storage: warn }), '-f', 'table'], { cwd: dir })).toMatchObject({ code: 0 })
  })
})

describe('-t', () => {
  test.each([
    [['-t', 'storage'], 3],
    [['-t', 'storage', 'jupyterhub-api'], 4],
    [['--test', 'storage', '--test', 'jupyterhub_api'], 4],
    [['-t', 'storage.exists'], 1],
    [[], 4],
  ])('%j runs %d probes', async (words, count) => {
    await using hub = await startFakeHub()
    const api = { check_api: { scheme: 'http', port: hub.port } }
    const { stdout } = await swanProbe(
      [...words, '-c', file({ storage: storage(), jupyterhub_api: api }), '-f', 'json'],
      { cwd: dir },
    )
    expect((JSON.parse(stdout) as { results: unknown[] }).results).toHaveLength(count)
  })
})

describe('logs', () => {
  const logging = { output: { logfile: { logging: true, filepath: '' } } }
  const line = /^\[(PARAMS|INFO|PERF|INTEGRITY|WARNING|ERROR|None)\] \d{10}\.\d{4}( \w+)?\| .*$/

  test('have the names, the lines and the openings of the original', async () => {
    const { code, stdout } = await swanProbe(['-c', file({ storage: storage() }, logging)], { cwd: dir })
    expect(code).toBe(0)
    const names = readdirSync(path.join(dir, 'logs')).sort()
    expect(names.map((name) => name.replace(/_\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.log$/, ''))).toEqual([
      'Delete',
      'file_exists',
      'write',
    ])
    for (const name of names) {
      const lines = readFileSync(path.join(dir, 'logs', name), 'utf8')
        .trimEnd()
        .split('\n')
      for (const text of lines) {
        expect(text).toMatch(line)
        expect(stdout).toContain(text)
      }
      expect(lines[0]).toContain('| Test name ')
    }
    const written = readFileSync(path.join(dir, 'logs', names.at(-1) ?? ''), 'utf8')
    expect(written).toContain('| Param fileSize has value 10\n')
    expect(written).toMatch(/\[INFO\] \d{10}\.\d{4} write\| File 0\.txt of size 10 successfully written\n/)
  })

  test('of two runs in one second do not meet, and neither do their files', async () => {
    const name = file(
      { storage: { ...storage(), checksum: { fileNumber: 20, fileSize: '4K', filePath: dir } } },
      logging,
    )
    const runs = await Promise.all([1, 2, 3].map(() => swanProbe(['-c', name], { cwd: dir })))
    expect(runs.map((run) => run.code)).toEqual([0, 0, 0])
    expect(readdirSync(path.join(dir, 'logs'))).toHaveLength(12)
    expect(readdirSync(dir).sort()).toEqual(['logs', 'test.yaml'])
  })

  test('that cannot be written are lost, the run is not', async () => {
    writeFileSync(path.join(dir, 'logs'), 'in the way')
    const { code, stderr, stdout } = await swanProbe(['-c', file({ storage: storage() }, logging)], { cwd: dir })
    expect(code).toBe(0)
    expect(stderr).toContain('Log files are not written: ')
    expect(stdout).toContain('successfully written')
  })
})

describe('secrets', () => {
  test('stand in no output, no log, no report, and in no process that is started', async () => {
    const secret = 'very-secret-token-0123'
    const seen: string[] = []
    await using hub = await startFakeHub({
      fault: ({ path: asked }) => {
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
          try {
            seen.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
          } catch {
            // It ended meanwhile.
          }
        }
        // A hub that repeats what it was sent.
        return asked === 'user' ? { status: 500, body: { message: `bad token ${secret}` } } : undefined
      },
    })
    const token = { scheme: 'http', port: hub.port, token: { env: 'HUB' }, users: [secret] }
    const name = file({ jupyterhub_api: { token }, storage: storage() }, { output: { logfile: { logging: true } } })
    const formats = ['json', 'junit', 'html', 'prometheus', 'nagios'].flatMap((format) => [
      '-f',
      `${format}=${dir}/report.${format}`,
    ])
    const { code, stdout, stderr } = await swanProbe(['-c', name, ...formats], { cwd: dir, env: { HUB: secret } })
    expect(code).toBe(1)
    const texts = [
      ...readdirSync(dir)
        .filter((entry) => entry.startsWith('report.'))
        .map((entry) => path.join(dir, entry)),
      ...readdirSync(path.join(dir, 'logs')).map((entry) => path.join(dir, 'logs', entry)),
    ].map((entry) => readFileSync(entry, 'utf8'))
    expect(texts).toHaveLength(9)
    expect([stdout, stderr, ...texts].join('\n')).not.toContain(secret)
    expect(stdout).toContain('bad token ***')
    expect(seen.join('\n')).not.toContain(secret)
  })
})

describe('an interrupt', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s puts everything away and still writes the reports', async (signal) => {
    let sent = false
    const throughput = { fileNumber: 100_000, fileSize: '4K', filePath: dir }
    const { code, stdout } = await swanProbe(
      ['-c', file({ storage: { throughput, ...storage() } }), '-f', 'log', '-f', `json=${dir}/report.json`],
      {
        cwd: dir,
        onOutput: (text, child) => {
          if (sent || !text.includes('[PERF]')) return
          sent = true
          child.kill(signal)
        },
      },
    )
    expect(code).toBe(1)
    expect(stdout).toContain('Total number of tests 4')
    const report = JSON.parse(readFileSync(path.join(dir, 'report.json'), 'utf8')) as {
      cut: boolean
      results: { status: string; code: string }[]
    }
    expect(report.cut).toBe(true)
    expect(report.results[0]).toMatchObject({ status: 'error', code: 'PROBE_CANCELLED' })
    expect(readdirSync(dir).sort()).toEqual(['report.json', 'test.yaml'])
  })
})

test('a deadline ends the run in time and says so', async () => {
  await using hub = await startFakeHub({ fault: () => new Promise(() => {}) })
  const api = { check_api: { scheme: 'http', port: hub.port, timeout: 30 } }
  const { code, stdout } = await swanProbe(['-c', file({ jupyterhub_api: api }), '--deadline', '1', '-f', 'table'], {
    cwd: dir,
  })
  expect(code).toBe(1)
  expect(stdout).toContain('(ended early)')
})

await describeWith('fuse', 'a run on a dead mount', () => {
  test('leaves in time, and leaves no pipe open', async () => {
    using mount = hungMount()
    const tests = {
      storage: {
        mount_sanity: { mountpoints: [mount.dir], timeout: 1 },
        write: { fileSize: '1K', filePath: `${mount.dir}/`, timeout: 1 },
      },
    }
    const { code, stdout } = await swanProbe(['-c', file(tests), '-f', 'json'], { cwd: dir })
    expect(code).toBe(1)
    const { results } = JSON.parse(stdout) as { results: { code: string }[] }
    expect(results.map((result) => result.code)).toEqual(['PROBE_TIMEOUT', 'PROBE_TIMEOUT'])
  })
})

describe('the other commands', () => {
  test('list, explain, init, validate, run', async () => {
    const { stdout: list } = await swanProbe(['list'])
    expect(list.trimEnd().split('\n')).toHaveLength(probes.length)
    const { stdout: explained } = await swanProbe(['explain', 'jupyterhub_api.create_session'])
    expect(explained).toContain('delay, timedelay: seconds above 0')
    expect(explained).toContain('scheme: one of https, http; default "https"')
    expect(await swanProbe(['init', 'new.yaml'], { cwd: dir })).toMatchObject({ code: 0 })
    expect(statSync(path.join(dir, 'new.yaml')).mode & 0o777).toBe(0o600)
    expect(await swanProbe(['init', 'new.yaml'], { cwd: dir })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('EEXIST'),
    })
    const valid = await swanProbe(['validate', 'new.yaml'], { cwd: dir })
    expect(valid).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`new.yaml is valid: ${probes.length} probes`),
    })
    expect(valid.stdout).toContain('storage.delete: at most 30 s, after storage.write, storage.exists')
    const one = await swanProbe([
      'run',
      'storage.mount_sanity',
      '--mountpoints',
      '/',
      dir,
      '--timeout',
      '5',
      '-f',
      'table',
    ])
    expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining('1 of 1 passed') })
  })

  test('help, and nothing at all', async () => {
    expect(await swanProbe(['--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Exit codes: 0 all passed'),
    })
    expect(await swanProbe([])).toMatchObject({ code: 2 })
  })

  test('a report that cannot be written is told, and is no pass', async () => {
    mkdirSync(path.join(dir, 'reports'))
    chmodSync(path.join(dir, 'reports'), 0o500)
    const words = ['-c', file({ storage: storage() }), '-f', 'table', '-f', 'json=missing/report.json']
    const { code, stderr } = await swanProbe(words, { cwd: dir })
    expect(code).toBe(2)
    expect(stderr).toContain('`missing/report.json` is not written: ENOENT')
    expect(existsSync(path.join(dir, 'missing'))).toBe(false)
  })

  test('health runs one set once', async () => {
    await using hub = await startFakeHub()
    const tests = { jupyterhub_api: { check_api: { scheme: 'http', port: hub.port } }, storage: failing }
    const health = {
      liveness: { probes: ['jupyterhub_api.check_api'], timeoutSeconds: 5 },
      readiness: { probes: ['storage.exists'], timeoutSeconds: 5 },
    }
    const name = file(tests, { health })
    expect(await swanProbe(['health', 'liveness', '-c', name], { cwd: dir })).toMatchObject({ code: 0 })
    expect(await swanProbe(['health', 'readiness', '-c', name], { cwd: dir })).toMatchObject({ code: 1 })
  })
})
