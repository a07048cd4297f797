import { describeWith } from '@org/services'
import { expect, test } from 'vitest'

import { serveFuse } from './fuse-server.ts'
import { runProbe, runYaml, verdicts } from './run.ts'

const repository = {
  lcg: {
    lastUpdate: 'today\n',
    empty: '',
    releases: {
      a: { one: 'x'.repeat(5000), bin: { two: 'y' } },
      b: { three: 'z'.repeat(200_000) },
      c: { four: 'not read with num 2' },
    },
    hollow: { a: {}, b: {} },
  },
  gone: { errno: 'ESTALE' },
  broken: { errno: 'EIO' },
  secret: { errno: 'EACCES' },
} as const

await describeWith('fuse', 'a repository', () => {
  test('that is mounted passes all three probes', async () => {
    using fuse = serveFuse('sft.cern.ch', repository)
    const report = await runYaml(
      JSON.stringify({
        cvmfs: {
          mount: { repoName: 'sft.cern.ch', repoPath: fuse.dir },
          ttfb: { repoPath: fuse.dir, filePath: `${fuse.dir}/lcg/lastUpdate` },
          throughput: { num: 2, repoPath: fuse.dir, filePath: `${fuse.dir}/lcg/releases/` },
        },
      }),
    )
    expect(verdicts(report)).toEqual([
      ['cvmfs.mount', 'pass'],
      ['cvmfs.ttfb', 'pass'],
      ['cvmfs.throughput', 'pass'],
    ])
    const [mount, ttfb, throughput] = report.results
    expect(mount?.lines.at(-1)).toContain(`| ${fuse.dir} exists`)
    expect(ttfb?.lines.at(-1)).toMatch(/^\[PERF\] .*\| .*lastUpdate\t0\.\d{8}$/)
    expect(throughput?.lines.filter((line) => line.startsWith('[INFO]'))).toHaveLength(3)
    expect(throughput?.lines.at(-1)).toMatch(/releases\/b\/three \d+\.\d{6} : \d+\.\d{6} : \d+\.\d{6}$/)
  })

  test('of another name, an empty one and an empty file fail', async () => {
    using fuse = serveFuse('other.cern.ch', repository)
    using bare = serveFuse('sft.cern.ch', {})
    const mount = (repoPath: string) => runProbe('cvmfs.mount', { repoName: 'sft.cern.ch', repoPath })
    expect(await mount(fuse.dir)).toMatchObject({ status: 'fail', code: 'PROBE_NOT_MOUNTED' })
    expect(await mount(bare.dir)).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('is mounted and empty'),
    })
    const ttfb = await runProbe('cvmfs.ttfb', { repoPath: fuse.dir, filePath: `${fuse.dir}/lcg/empty` })
    expect(ttfb).toMatchObject({ status: 'fail', message: expect.stringContaining('the file is empty') })
    const throughput = await runProbe('cvmfs.throughput', {
      num: 2,
      repoPath: fuse.dir,
      filePath: `${fuse.dir}/lcg/hollow`,
    })
    expect(throughput).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('its first 2 folders have none'),
    })
  })

  test.each([
    ['gone', 'ESTALE: its file handle is stale'],
    ['broken', 'EIO: the file system reports an input/output error'],
    ['secret', 'EACCES: this user has no right to it'],
    ['missing', 'ENOENT: it does not exist'],
  ])('tells %s apart from what is merely missing', async (name, words) => {
    using fuse = serveFuse('eos', repository)
    const result = await runProbe('storage.mount_sanity', { mountpoints: [`${fuse.dir}/${name}`], timeout: 10 })
    expect(result).toMatchObject({ status: 'fail', code: 'PROBE_FILE', message: expect.stringContaining(words) })
  })
})
