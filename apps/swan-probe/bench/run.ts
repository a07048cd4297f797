/**
 * What the runner costs, each figure beside a peer that is measured in the same minute, turn by turn.
 *
 * Run with `pnpm bench`; it builds the one-file program first.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { record } from '@org/bench'

import { HelperPool } from '../src/isolation/pool.ts'
import { runProbes } from '../src/runner/run.ts'
import { percentile } from '../src/runner/statistics.ts'
import { configOf } from '../test/config.ts'
import { startFakeHub } from '../test/fake-hub.ts'
import { hungMount } from '../test/mounts.ts'

const bundle = path.join(import.meta.dirname, '../dist/swan-probe.mjs')
const dir = mkdtempSync(path.join(tmpdir(), 'bench-'))
const signal = new AbortController().signal
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const rounds = (count: number) => (values.quick ? 2 : count)
const node = { name: 'node -e 0', version: process.versions.node }

/** Takes turns, so that both sides meet the same load; gives the medians in milliseconds. */
async function turns(count: number, sides: Readonly<Record<string, () => unknown>>): Promise<Record<string, number>> {
  const times = new Map<string, number[]>()
  for (let turn = 0; turn < count; turn++) {
    for (const [name, run] of Object.entries(sides)) {
      const started = performance.now()
      await run()
      times.set(name, [...(times.get(name) ?? []), performance.now() - started])
    }
  }
  return Object.fromEntries([...times].map(([name, values]) => [name, percentile(values, 50)]))
}

function row(what: string, ours: string, peer: string, goal: string): void {
  console.log(`${what.padEnd(44)}${ours.padEnd(26)}${peer.padEnd(30)}${goal}`)
}

/** Keeps a figure as a multiple of what an empty Node needs. */
function keep(title: string, ours = Number.NaN, bare = Number.NaN): void {
  record({ title, ratio: ours / bare, peer: node })
}
const ms = (value: number | undefined) => `${(value ?? NaN).toFixed(1)} ms`

async function wholeProcess(): Promise<void> {
  const file = path.join(dir, 'one.yaml')
  writeFileSync(file, JSON.stringify({ tests: { storage: { exists: { filePath: '/etc/passwd' } } } }))
  const run = (...words: string[]) => execFileSync(process.execPath, words, { stdio: 'ignore' })
  const medians = await turns(rounds(15), {
    bare: () => run('-e', '0'),
    mount: () =>
      spawnSync(process.execPath, [bundle, 'run', 'storage.mount', '--mode', 'host', '-f', 'json'], {
        stdio: 'ignore',
      }),
    exists: () => run(bundle, '-c', file, '-f', 'json'),
  })
  const extra = (name: string) => `bare + ${ms((medians[name] ?? NaN) - (medians['bare'] ?? NaN))}`
  row('one probe, whole process', extra('mount'), `node -e 0: ${ms(medians['bare'])}`, 'bare + 80 ms')
  row('one probe in a child, whole process', extra('exists'), 'a second Node starts', '')
  keep('one probe, whole process', medians['mount'], medians['bare'])
  keep('one probe in a child, whole process', medians['exists'], medians['bare'])
  const peak = execFileSync(process.execPath, ['-e', peakProgram, bundle, '-c', file, '-f', 'json'], {
    encoding: 'utf8',
  })
  const bare = execFileSync(process.execPath, ['-e', peakProgram, '--', '-e', 'setTimeout(() => {}, 50)'], {
    encoding: 'utf8',
  })
  keep('its memory, the largest process', Number(peak), Number(bare))
  row('its memory (largest process, RSS)', `${peak} MB`, `node -e 0: ${bare} MB`, '<= 70 MB')
}

/** Runs a command and prints the largest memory that one of its processes had, in MB. */
const peakProgram = `
const child = require('node:child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'ignore' })
let peak = 0
const fs = require('node:fs')
const look = setInterval(() => {
  try {
    const tree = [child.pid, ...fs.readFileSync('/proc/' + child.pid + '/task/' + child.pid + '/children', 'utf8').trim().split(' ')]
    for (const pid of tree) peak = Math.max(peak, Number(/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/' + pid + '/status', 'utf8'))[1]))
  } catch {}
}, 2)
child.on('exit', () => { clearInterval(look); process.stdout.write((peak / 1024).toFixed(0)) })`

async function isolation(): Promise<void> {
  await using pool = new HelperPool()
  await pool.warm()
  const options = { path: '/etc/passwd', timeoutMs: 5000, signal }
  const medians = await turns(rounds(100), {
    helper: () => pool.run('inspect', { path: '/etc/passwd' }, options),
    stat: () => execFileSync('stat', ['/etc/passwd'], { stdio: 'ignore' }),
  })
  const whole = await turns(rounds(10), {
    node: () => execFileSync(process.execPath, ['-e', '0'], { stdio: 'ignore' }),
  })
  keep('one look at a file in the helper', medians['helper'], whole['node'])
  row('one look at a file in the helper', ms(medians['helper']), `child stat: ${ms(medians['stat'])}`, '<= 15 ms')
  row('', '', `child node: ${ms(whole['node'])}`, '')
}

async function wholeRun(): Promise<void> {
  await using hub = await startFakeHub({ spawnMs: 1000 })
  const address = { scheme: 'http', port: hub.port, token: hub.token }
  const session = { ...address, users: ['alice'] }
  const file = { filePath: path.join(dir, '0.txt') }
  const folder = { fileNumber: 10, fileSize: '1M', filePath: dir }
  const tests = {
    storage: {
      mount_sanity: { mountpoints: [dir], timeout: 8 },
      mount: { mode: 'host' },
      write: { fileSize: '1M', ...file },
      exists: file,
      delete: file,
      throughput: folder,
      checksum: folder,
    },
    cvmfs: { ttfb: { repoPath: '/', filePath: '/etc/passwd' }, mount: { repoName: 'x', repoPath: dir } },
    jupyterhub_api: {
      check_api: address,
      token: session,
      create_session: session,
      check_session: session,
      stop_session: session,
    },
    user_docker: { docker: { container_name: 'nobody', timeout: 5 } },
  }
  const { entries } = configOf(JSON.stringify({ tests }))
  const report = await runProbes(entries)
  const chain = report.results.filter((result) => result.id.includes('session'))
  const slowest = chain.reduce((sum, result) => sum + result.seconds, 0)
  const serial = report.results.reduce((sum, result) => sum + result.seconds, 0)
  const over = `chain + ${ms((report.seconds - slowest) * 1000)}`
  row(`${entries.length} probes, whole run`, over, `one after another: ${ms(serial * 1000)}`, 'chain + 300 ms')
}

async function memoryOfLargeFile(): Promise<void> {
  await using pool = new HelperPool()
  const { entries } = configOf(
    JSON.stringify({ tests: { storage: { checksum: { fileNumber: 1, fileSize: '256M', filePath: dir } } } }),
  )
  await pool.warm()
  const [pid] = pool.pids
  const high = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  const before = high()
  const report = await runProbes(entries, { pool })
  const grown = `+ ${(high() - before).toFixed(0)} MB`
  row('checksum of 256 MiB, helper beyond its start', grown, report.results[0]?.status ?? '', '<= 64 MiB')
}

async function deadMount(): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/dev/fuse')) return
  using mount = hungMount()
  const file = path.join(dir, 'dead.yaml')
  writeFileSync(
    file,
    JSON.stringify({ tests: { storage: { mount_sanity: { mountpoints: [mount.dir], timeout: 1 } } } }),
  )
  const medians = await turns(rounds(5), {
    dead: () => spawnSync(process.execPath, [bundle, '-c', file, '-f', 'json'], { stdio: 'ignore' }),
    healthy: () =>
      spawnSync(process.execPath, [bundle, 'run', 'storage.mount_sanity', '--mountpoints', dir, '--timeout', '1'], {
        stdio: 'ignore',
      }),
  })
  const late = (medians['dead'] ?? NaN) - (medians['healthy'] ?? NaN) - 1000
  row(
    'a dead mount with a limit of 1 s',
    `limit + ${ms(late)}`,
    `healthy: ${ms(medians['healthy'])}`,
    'limit + 1000 ms',
  )
}

try {
  row('what', 'ours', 'beside it', 'goal')
  await wholeProcess()
  await isolation()
  await wholeRun()
  await memoryOfLargeFile()
  await deadMount()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
