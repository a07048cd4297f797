import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { describeWith } from '@org/services'
import { expect, test } from 'vitest'

import { contentOf } from '../src/isolation/operations/content.ts'
import { writeFile } from '../src/isolation/operations/write-file.ts'
import { HelperPool } from '../src/isolation/pool.ts'
import { startTicksOf, StuckMemory } from '../src/isolation/stuck.ts'
import { disturbedPool } from './disturbed-pool.ts'
import { serveFuse } from './fuse-server.ts'
import { diskMount, hungMount } from './mounts.ts'
import { runProbe, runYaml, verdicts } from './run.ts'

/** A pool that remembers stuck children in a folder of its own. */
function ownPool() {
  const memory = mkdtempSync(path.join(tmpdir(), 'stuck-'))
  return { memory, make: () => new HelperPool({ stuck: new StuckMemory(memory) }) }
}

await describeWith('fuse', 'a mount that hangs', () => {
  test('is told at its limit, the healthy one beside it passes, and the runner ends', async () => {
    using mount = hungMount()
    const healthy = mkdtempSync(path.join(tmpdir(), 'healthy-'))
    const result = await runProbe('storage.mount_sanity', { mountpoints: [healthy, mount.dir], timeout: 1 })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
    // By the limit of the mount, or on a busy machine by that of the whole probe, which is over a second later at worst.
    expect(result.message).toContain(`opendir on \`${mount.dir}\` did not return`)
    expect(result.lines.join('\n')).toContain(`mount point ${healthy} tested`)
    expect(result.lines.join('\n')).toContain('check_mount took too long')
    rmSync(healthy, { recursive: true })
  })

  test.each([
    ['storage.write', { fileSize: '1K', filePath: '0.txt' }, 'statfs'],
    ['storage.exists', { filePath: '0.txt' }, 'stat'],
    ['storage.delete', { filePath: '0.txt' }, 'unlink'],
    ['storage.throughput', { fileNumber: 1, fileSize: '1K', filePath: '' }, 'statfs'],
    ['storage.checksum', { fileNumber: 1, fileSize: '1K', filePath: '' }, 'statfs'],
    ['cvmfs.ttfb', { repoPath: '/', filePath: '0.txt' }, 'open'],
    ['cvmfs.throughput', { num: 1, repoPath: '/', filePath: '' }, 'readdir'],
    ['database.servers', { path: 'hub.sqlite', user: 'alice', mode: 'active' }, 'open'],
  ])('times out %s within its limit and names the call', async (id, values, step) => {
    using mount = hungMount()
    const key = 'path' in values ? 'path' : 'filePath'
    const file = path.join(mount.dir, String((values as Record<string, unknown>)[key]))
    const report = await runYaml(
      JSON.stringify({
        [id.split('.')[0] ?? '']: { [id.split('.')[1] ?? '']: { ...values, [key]: file, timeout: 0.5 } },
      }),
    )
    expect(report.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
    expect(report.results[0]?.message).toContain(`was not over within 0.5 s: ${step} on \`${mount.dir}`)
  })

  test('with its process gone is told apart from a missing folder', async () => {
    using mount = hungMount()
    mount.crash()
    const result = await runProbe('storage.mount_sanity', { mountpoints: [mount.dir], timeout: 2 })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_FILE' })
    expect(result.message).toContain('ENOTCONN')
    expect(result.message).toContain('its file system process is gone')
  })

  test('does not make the mount table hang', async () => {
    using _ = hungMount('eos')
    const result = await runProbe('storage.mount', { mode: 'host' })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_NOT_MOUNTED' })
    expect(result.message).toBe('The mount table lacks a FUSE mount of eos home folders (home-*)')
  })

  test('passes storage.mount where eos and its homes are FUSE mounts', async () => {
    using _eos = hungMount('eos')
    using _home = hungMount('eos-home-u')
    expect((await runProbe('storage.mount', { mode: 'host' })).status).toBe('pass')
    expect((await runProbe('storage.mount', { mode: 'sciencebox' })).status).toBe('fail')
  })
})

await describeWith('fuse', 'a file system that is frozen', () => {
  test('passes mount_sanity, times out write, and its stuck child is not joined by a second one', async () => {
    using disk = diskMount(32)
    const { memory, make } = ownPool()
    disk.freeze()
    const write = `storage: {write: {fileSize: 64K, filePath: ${disk.dir}/, timeout: 1}}`
    {
      await using pool = make()
      const sane = await runYaml(`storage: {mount_sanity: {mountpoints: [${disk.dir}], timeout: 2}}`, { pool })
      expect(verdicts(sane)).toEqual([['storage.mount_sanity', 'pass']])
      const first = await runYaml(write, { pool })
      expect(first.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_TIMEOUT' })
      expect(first.results[0]?.message).toMatch(
        /create on .* did not return; process \d+ hangs there and cannot be killed$/,
      )
    }
    // Another run, another pool: the child is still there.
    const [record] = readdirSync(memory)
    const { pid } = JSON.parse(readFileSync(path.join(memory, record ?? ''), 'utf8')) as { pid: number }
    expect(startTicksOf(pid)).toBeDefined()
    {
      await using pool = make()
      const second = await runYaml(write, { pool })
      expect(second.results[0]).toMatchObject({ status: 'fail', code: 'PROBE_STUCK' })
      expect(second.results[0]?.message).toContain(`\`${disk.dir}\` is still stuck since`)
      expect(readdirSync(memory)).toHaveLength(1)
    }
    disk.thaw()
    while (startTicksOf(pid) !== undefined) await delay(20)
    await using pool = make()
    expect((await runYaml(write, { pool })).results[0]?.status).toBe('pass')
    expect(readdirSync(memory)).toEqual([])
    rmSync(memory, { recursive: true })
  })
})

await describeWith('fuse', 'a disk with faults', () => {
  test('that is read-only fails write, says so and is left as it was', async () => {
    using disk = diskMount(32)
    disk.remount('ro')
    const before = readdirSync(disk.dir)
    const report = await runYaml(`
storage:
  write: {fileSize: 1K, filePath: ${disk.dir}/0.txt}
  exists: {filePath: ${disk.dir}/0.txt}
  delete: {filePath: ${disk.dir}/0.txt}
  throughput: {fileNumber: 2, fileSize: 1K, filePath: ${disk.dir}}`)
    expect(verdicts(report)).toEqual([
      ['storage.write', 'fail PROBE_FILE'],
      ['storage.exists', 'skipped PROBE_NEEDS'],
      ['storage.delete', 'skipped PROBE_NEEDS'],
      ['storage.throughput', 'fail PROBE_FILE'],
    ])
    expect(report.results[0]?.message).toContain('EROFS: the file system is read-only')
    expect(readdirSync(disk.dir)).toEqual(before)
    expect(report.results.flatMap((result) => result.left)).toEqual([])
  })

  test('without room refuses before it writes', async () => {
    using disk = diskMount(48)
    const result = await runProbe('storage.write', { fileSize: '40M', filePath: `${disk.dir}/` })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_NO_SPACE' })
    expect(result.message).toContain('nothing was written')
    expect(readdirSync(disk.dir)).toEqual(['lost+found'])
  })

  test('that fills up while it writes fails and leaves no partial file', () => {
    using disk = diskMount(64)
    const file = path.join(disk.dir, 'partial')
    const fill = (step: string) => {
      // Somebody else takes the room after it was found free.
      if (step === 'write') execFileSync('fallocate', ['-l', '40M', path.join(disk.dir, 'filler')])
    }
    expect(() => writeFile({ path: file, bytes: 34 * 1024 * 1024, seed: 'full' }, fill)).toThrow('ENOSPC')
    expect(readdirSync(disk.dir)).toEqual(['filler', 'lost+found'])
  })

  test('whose bytes changed below it fails the checksum', async () => {
    using disk = diskMount(48)
    await using pool = disturbedPool((file) => {
      const runId = path.basename(path.dirname(file)).replace('.swan-probe-checksum-', '')
      flip(disk.image, contentOf(`${runId}/0.txt`)(64))
    })
    const result = await runProbe('storage.checksum', { fileNumber: 3, fileSize: '256K', filePath: disk.dir }, { pool })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_CORRUPT' })
    expect(result.message).toBe('1 of 3 files came back with other bytes than were written')
    const rows = result.lines
      .filter((line) => line.startsWith('[INTEGRITY]'))
      .map((line) => line.split('| ')[1]?.split('\t'))
    expect(rows.map((row) => row?.[1])).toEqual(['False', 'True', 'True', undefined])
    expect(rows.at(-1)).toEqual(['Number of corrupted files 1'])
    expect(readdirSync(disk.dir)).toEqual(['lost+found'])
  })

  test('reads past the cache, and says so', async () => {
    using disk = diskMount(48)
    const onDisk = await runProbe('storage.throughput', { fileNumber: 2, fileSize: '1M', filePath: disk.dir })
    const ways = (lines: readonly string[]) =>
      lines.filter((line) => line.includes(' read| ') && !line.includes('Stats')).map((line) => line.split('\t').at(-1))
    expect(ways(onDisk.lines)).toEqual(['direct', 'direct'])
  })
})

await describeWith('fuse', 'a quota that is used up', () => {
  test.each(['write', 'fsync', 'close'] as const)(
    'is named where %s tells, and no partial file stays',
    async (toldAt) => {
      using mount = serveFuse('eos', {}, { bytes: 40_000, toldAt })
      const write = (fileSize: string) => runProbe('storage.write', { fileSize, filePath: `${mount.dir}/0.txt` })
      const refused = await write('64K')
      expect(refused).toMatchObject({ status: 'fail', code: 'PROBE_FILE', left: [] })
      expect(refused.message).toContain('EDQUOT: the quota is used up')
      expect([...mount.written]).toEqual([])
      expect(await write('32K')).toMatchObject({ status: 'pass', left: [] })
      expect([...mount.written]).toEqual([])
    },
  )
})

/** Finds bytes in a disk image and turns one over, behind the file system's back. */
function flip(image: string, needle: Uint8Array): void {
  const bytes = readFileSync(image)
  const at = bytes.indexOf(needle)
  if (at === -1) throw new Error('The content is not on the disk')
  bytes[at + 5] = (bytes[at + 5] ?? 0) ^ 0xff
  writeFileSync(image, bytes, { flag: 'r+' })
}

test.each([
  ['a folder', (file: string) => mkdirSync(file), 'found a folder'],
  ['a link that leads nowhere', (file: string) => symlinkSync('nowhere', file), 'found a link that leads nowhere'],
  ['a circle of links', (file: string) => symlinkSync(path.basename(file), file), 'ELOOP'],
  ['nothing', () => {}, 'found nothing'],
  ['a named pipe', (file: string) => execFileSync('mkfifo', [file]), 'found no plain file'],
])('exists fails on %s and says what it found', async (_, make, words) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'exists-'))
  make(path.join(dir, 'x'))
  const result = await runProbe('storage.exists', { filePath: path.join(dir, 'x') })
  expect(result).toMatchObject({ status: 'fail', code: 'PROBE_FILE', message: expect.stringContaining(words) })
  rmSync(dir, { recursive: true })
})

test.each(['a b', "it's", '$(touch pwned)', 'line\nbreak', 'quote"', '-rf', '%s'])(
  'works with the name %j',
  async (name) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'names-'))
    const filePath = path.join(dir, name)
    const report = await runYaml(
      JSON.stringify({ storage: { write: { fileSize: '10', filePath }, exists: { filePath }, delete: { filePath } } }),
    )
    expect(verdicts(report).map(([, verdict]) => verdict)).toEqual(['pass', 'pass', 'pass'])
    for (const line of report.results.flatMap((result) => result.lines)) expect(line).not.toContain('\n')
    expect(readdirSync(dir)).toEqual([])
    rmSync(dir, { recursive: true })
  },
)

test('a read of a named pipe does not wait for a writer', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'pipe-'))
  execFileSync('mkfifo', [path.join(dir, 'p')])
  const result = await runProbe('cvmfs.ttfb', { repoPath: dir, filePath: path.join(dir, 'p'), timeout: 5 })
  expect(result).toMatchObject({ status: 'fail', message: expect.stringContaining('Expected a plain file') })
  rmSync(dir, { recursive: true })
})
