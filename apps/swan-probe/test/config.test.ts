import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { starterFile } from '../src/cli/starter.ts'
import { ProbeError } from '../src/errors.ts'
import { probes } from '../src/probes/registry.ts'
import { configOf } from './config.ts'

/** The example of the original's documents, with the spellings that its code and its examples disagree on. */
const original = `
tests:
  storage:
    mount_sanity:
      timeout: 8
      mountpoints: ['user/u/user2/']
    mount:
      user_mode : 'sciencebox'
    write:
      fileSize: 1M
      filepath: "eos/user/u/user2/0.txt"
    delete:
      filepath: "eos/user/u/user2/0.txt"
    exists:
      filepath: "eos/user/u/user2/0.txt"
    throughput:
      fileNumber: 10
      fileSize: 1M
      filepath: "eos/user/u/user2/"
    checksum:
      fileNumber: 10
      fileSize: 1M
      filepath: "eos/user/u/user2/"
  cvmfs:
    mount:
      repoName: 'sft.cern.ch'
      repoPath: 'cvmfs/sft.cern.ch/'
    ttfb:
      repoPath: 'cvmfs/sft.cern.ch/'
      filePath: 'cvmfs/sft.cern.ch/lcg/lastUpdate'
    throughput:
      num: 2 #Number of packages you want to read
      repoPath: 'cvmfs/sft.cern.ch/'
      filePath: 'cvmfs/sft.cern.ch/lcg/releases/'
  jupyterhub_api:
    check_api:
      hostname: 'localhost'
      port: '443'
      token: ""
      base_path: ""
      verify : False
    token:
      hostname: 'localhost'
      port: '443'
      token: ""
      users: ['user2']
      base_path: ""
      verify: False
    create_session:
      hostname: 'localhost'
      port: '443'
      token: 'b39639d589c44a2294b3dd1164607287'
      users: ['user2']
      base_path: ""
      params:
        TLS: False
        LCG-rel: "LCG_95a"
        platform: "x86_64-centos7-gcc7-opt"
        scriptenv: "none"
        ncores: 2
        memory: 8589934592
        spark-cluster: "none"
      delay: 30 #Max
      verify: False
    check_session:
      hostname: 'localhost'
      port: '443'
      token: ""
      users: ['user2']
      base_path: ""
      verify: False
    stop_session:
      hostname: 'localhost'
      port: '443'
      token: ''
      users: ['user2']
      base_path: ""
      verify: False
  database:
    token:
      path: "jupyterhub.sqlite"
      user: "user2"
      mode: "active" #active mode
      table_name: "api_tokens"
    servers:
      user: "user2"
      table: "servers"
      mode: 1 #active mode
      path: "jupyterhub.sqlite"
    spawners:
      path: "jupyterhub.sqlite"
      user: "user2"
      mode: "delete"
      table_name: "spawners"
  user_docker:
    docker:
      container_name: 'jupyter-user2'
      timeout: 5
output:
  stdout : True
  logfile:
    logging: True
    filepath : ""
  grafana:
    push : False
    hostname: ''
    port: '80'
    namespace: 'swan.testingframework'
`

describe('the YAML of the original', () => {
  const config = configOf(original, { base: '/work' })
  const values = (id: string) => config.entries.find((entry) => entry.probe.id === id)?.values

  test('runs unchanged: every probe is found', () => {
    expect(config.entries.map((entry) => entry.probe.id).sort()).toEqual(probes.map((probe) => probe.id).sort())
    expect(config.output).toEqual({ logging: true, logFolder: '/work/logs' })
  })

  test('reads both spellings of its keys', () => {
    expect(values('storage.mount')).toEqual({ mode: 'sciencebox' })
    expect(values('storage.write')).toEqual({
      fileSize: { bytes: 1_048_576, text: '1M' },
      filePath: '/eos/user/u/user2/0.txt',
    })
    expect(values('database.servers')).toMatchObject({
      table_name: 'servers',
      mode: 'active',
      path: '/work/jupyterhub.sqlite',
    })
    expect(values('jupyterhub_api.check_api')).toMatchObject({ scheme: 'https', port: 443, verify: false })
    expect(values('cvmfs.ttfb')).toMatchObject({ filePath: '/cvmfs/sft.cern.ch/lcg/lastUpdate' })
  })

  test('leaves the params of a spawn as they are', () => {
    expect(values('jupyterhub_api.create_session')?.['params']).toMatchObject({
      'LCG-rel': 'LCG_95a',
      memory: 8_589_934_592,
      TLS: false,
    })
  })

  test('lends the token of create_session to the probes of the same hub', () => {
    expect(values('jupyterhub_api.stop_session')?.['token']).toBe('b39639d589c44a2294b3dd1164607287')
  })

  test('reads the spellings of its older files and of its command line', () => {
    const older = configOf(
      `
tests:
  CVMFS:
    mount: {repoName: sft.cern.ch, repoPath: cvmfs/sft.cern.ch/}
  jupyterhub-api:
    create_session: {port: '443', users: [user2], token: 'abc', TLS: False, timedelay: 30}
  storage:
    exists: {fileName: 0.txt}
    throughput: {fileNumber: 2, fileSize: 1M}
`,
      { userPath: '/eos/user/u/user2' },
    )
    expect(
      older.entries.map(({ probe, values: read }) => [probe.id, read['delay'] ?? read['filePath'] ?? read['repoPath']]),
    ).toEqual([
      ['cvmfs.mount', '/cvmfs/sft.cern.ch/'],
      ['jupyterhub_api.create_session', 30],
      ['storage.exists', '/eos/user/u/user2/0.txt'],
      ['storage.throughput', '/eos/user/u/user2/'],
    ])
  })
})

test('lends no token to another host', () => {
  const { entries } = configOf(`
tests:
  jupyterhub_api:
    create_session: {hostname: a, token: of-host-a, users: [x]}
    check_session: {hostname: b, users: [x]}
    stop_session: {hostname: a, port: 8443, users: [x]}`)
  expect(entries.map((entry) => entry.values['token'])).toEqual(['of-host-a', '', ''])
})

test('takes a token from a variable or a file', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'secret-'))
  writeFileSync(path.join(dir, 'token'), 'from-a-file\n')
  const text = (token: string) => `tests: {jupyterhub_api: {token: {users: [x], token: ${token}}}}`
  const token = (words: string) =>
    configOf(text(words), { env: { HUB: 'from-a-variable' } }).entries[0]?.values['token']
  expect(token('{env: HUB}')).toBe('from-a-variable')
  expect(token(`{file: ${dir}/token}`)).toBe('from-a-file')
  expect(() => token('{env: NOT_SET}')).toThrow('the variable NOT_SET, which is not set')
  expect(() => token(`{file: ${dir}/missing}`)).toThrow('ENOENT')
  expect(() => token('{env: A, file: B}')).toThrow('{env: VARIABLE} or {file: PATH}')
  rmSync(dir, { recursive: true })
})

describe('a wrong file', () => {
  test('is refused with every place by line and column', () => {
    const text = `
tests:
  storage:
    wrte: {fileSize: 1M}
    write: {fileSize: 9999T, filePaht: x}
    throughput: {fileNumber: 0, fileSize: 1M, filePath: x}
    mount: {mode: both, user_mode: host}
  jupyterhub_api:
    check_api: {port: 99999, hostname: ''}
    create_session: {users: [], delay: -1}
  foo: {}
  database: [1]
other: 1
`
    expect(() => configOf(text)).toThrow(
      new ProbeError(
        'PROBE_CONFIG',
        [
          'test.yaml:13:1: Unknown key `other`; expected tests, output, health or watch',
          'test.yaml:4:5: Unknown probe `wrte` in `storage`; did you mean `write`?',
          'test.yaml:5:23: Expected `fileSize` to be a size such as 10, 512K, 1.5M or 1GB, from 1 byte to 1T, got `"9999T"`',
          'test.yaml:5:30: Unknown key `filePaht` in `storage.write`; did you mean `filePath`?',
          'test.yaml:5:5: `storage.write` needs `filePath`: File, or a folder with a slash at the end.',
          'test.yaml:6:30: Expected `fileNumber` to be a whole number from 1, got `0`',
          'test.yaml:7:19: Expected `mode` to be one of host, sciencebox, got `"both"`',
          'test.yaml:7:25: `mode` of `storage.mount` is given twice, here as `user_mode`',
          'test.yaml:9:23: Expected `port` to be a port from 1 to 65535, got `99999`',
          'test.yaml:9:40: Expected `hostname` to be a text that is not empty, got `""`',
          'test.yaml:10:29: Expected `users` to be a list of texts, at least one, got `[]`',
          'test.yaml:10:40: Expected `delay` to be seconds above 0, at most 86400, got `-1`',
          'test.yaml:11:3: Unknown group `foo`; expected one of storage, cvmfs, jupyterhub_api, database, user_docker',
          'test.yaml:12:13: Expected `database` to be a map of keys and values',
        ].join('\n'),
      ),
    )
  })

  test.each([
    ['tests: {storage: [', /^test\.yaml:1:\d+: /],
    ['tests:\n\tstorage: {}', /^test\.yaml:2:1: /],
    ['tests: {storage: {mount: {mode: host}, mount: {mode: host}}}', /Map keys must be unique/],
    ['output: {}', /Expected a key `tests`/],
    ['- a', /Expected the file to be a map/],
    ['tests: {}\noutput: {logfil: {}}', /2:10: Unknown key `logfil`/],
    ['tests: {}\nwatch: {port: 0}', /2:15: Expected `port`/],
    // 2^31 ms and more would be run again and again without a pause.
    ['tests: {}\nhealth: {liveness: {probes: [a], periodSeconds: 2147484}}', /Expected `periodSeconds` to be whole/],
    ['tests: {}\nhealth: {liveness: {probes: [a], timeoutSeconds: 2147484}}', /Expected `timeoutSeconds` to be whole/],
    ['tests: {}\nhealth: {liveness: {probes: [a], timeoutSeconds: 1.5}}', /Expected `timeoutSeconds` to be whole/],
    ['tests: {}\nhealth: {liveness: {probes: [storage.write]}}', /names `storage\.write`, which `tests` does not have/],
    [
      'tests: {storage: {mount: {mode: host}}}\nhealth: {liveness: {probes: [storage.mount], successThreshold: 2}}',
      /to be 1, as in Kubernetes/,
    ],
    [
      'tests: {jupyterhub_api: {create_session: {users: [x]}}}\nhealth: {liveness: {probes: [jupyterhub_api.create_session]}}',
      /2:10: `health\.liveness` starts sessions again and again/,
    ],
    ['tests: {storage: {mount: {mode: host, thresholds: {speed: {warn: 1}}}}}', /measures no `speed`/],
    [
      'tests: {storage: {mount: {mode: host, thresholds: {seconds: {warn: 9:1}}}}}',
      /Expected `seconds\.warn` to be a range/,
    ],
    ['tests: {storage: {mount: {mode: host, thresholds: {seconds: {warning: 1}}}}}', /Unknown key `warning`/],
  ])('%j', (text, message) => {
    expect(() => configOf(text)).toThrow(message)
  })

  test('never shows a secret in a complaint', () => {
    expect(() => configOf('tests: {jupyterhub_api: {check_api: {token: [hidden-secret]}}}')).toThrow(
      /Expected `token` to be a text/,
    )
    expect(() => configOf('tests: {jupyterhub_api: {check_api: {token: [hidden-secret]}}}')).not.toThrow(
      /hidden-secret/,
    )
  })
})

test('reads thresholds as they are typed', () => {
  const { entries } = configOf(
    'tests: {storage: {mount: {mode: host, thresholds: {seconds: {warn: 10:20, crit: ~:30}}}}}',
  )
  expect(entries[0]?.thresholds.get('seconds')).toMatchObject({
    warn: { low: 10, high: 20 },
    crit: { low: -Infinity, high: 30 },
  })
})

test('the file that `init` writes is valid and names every probe', () => {
  const { entries, health } = configOf(starterFile())
  expect(entries.map((entry) => entry.probe.id)).toEqual(probes.map((probe) => probe.id))
  expect(health.liveness?.probes).toEqual(['jupyterhub_api.check_api'])
})

test('the example is valid, and is what the README shows', () => {
  const folder = path.join(import.meta.dirname, '..')
  const example = readFileSync(path.join(folder, 'examples/swan.yaml'), 'utf8')
  expect(configOf(example, { env: { HUB_TOKEN: 'x' } }).entries).toHaveLength(10)
  expect(readFileSync(path.join(folder, 'README.md'), 'utf8')).toContain(`# examples/swan.yaml\n${example}`)
})

test('the README tells about every code', () => {
  const folder = path.join(import.meta.dirname, '..')
  const codes = readFileSync(path.join(folder, 'src/errors.ts'), 'utf8').match(/'PROBE_\w+'/g) ?? []
  const readme = readFileSync(path.join(folder, 'README.md'), 'utf8')
  expect(codes.length).toBeGreaterThan(20)
  expect(codes.filter((code) => !readme.includes(`\`${code.replaceAll("'", '')}\``))).toEqual([])
})
