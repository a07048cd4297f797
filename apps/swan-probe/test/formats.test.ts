import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'

import { describeWith } from '@org/services'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { validateXML } from 'xmllint-wasm'

import { renderReport } from '../src/reports/render.ts'
import { nagiosExitCode } from '../src/reports/nagios.ts'
import { writeAtomic } from '../src/reports/write-atomic.ts'
import { exitCodeOf, type Report } from '../src/runner/result.ts'
import { parsePrometheus } from './prometheus.ts'
import { mixedReport, nasty, resultOf } from './report.ts'

const render = (name: Parameters<typeof renderReport>[0], report: Report = mixedReport) =>
  renderReport(name, report, { colour: false })
const only = (...results: Report['results']): Report => ({ ...mixedReport, results })

test.each([
  ['all pass', only(resultOf(), resultOf({ name: 'exists' })), 0, 0],
  ['one warns', only(resultOf(), resultOf({ status: 'warn' })), 0, 1],
  ['one fails', only(resultOf(), resultOf({ status: 'fail' })), 1, 2],
  ['one breaks', only(resultOf(), resultOf({ status: 'error' })), 1, 3],
  ['one is skipped', only(resultOf(), resultOf({ status: 'skipped' })), 1, 3],
  ['one fails and one breaks', only(resultOf({ status: 'error' }), resultOf({ status: 'fail' })), 1, 2],
])('when %s', (_, report, exitCode, nagios) => {
  expect(exitCodeOf(report)).toBe(exitCode)
  expect(nagiosExitCode(report)).toBe(nagios)
})

test('JUnit is valid by its schema, with a failure, an error and a skip in their places', async () => {
  const xml = await render('junit')
  const schema = readFileSync(path.join(import.meta.dirname, 'junit.xsd'), 'utf8')
  const verdict = await validateXML({
    xml: [{ fileName: 'report.xml', contents: xml }],
    schema: [{ fileName: 'junit.xsd', contents: schema }],
  })
  expect(verdict.errors).toEqual([])
  expect(xml).toContain('<testsuites name="swan-probe" tests="5" failures="1" errors="1" time="1.500">')
  expect(xml).toMatch(/<testsuite name="storage" tests="3" failures="1" errors="0" skipped="0"/)
  expect(xml).toMatch(/<testsuite name="database" tests="2" failures="0" errors="1" skipped="1"/)
  expect(xml).toContain('type="PROBE_CORRUPT"')
})

await describeWith('promtool', 'Prometheus text, to promtool', () => {
  test.each([
    ['of every verdict', mixedReport],
    ['of nothing', only()],
    ['of one that passed', only(resultOf())],
  ])('%s is valid and keeps the rules for names and help', async (_, report) => {
    const promtool = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] })
    promtool.stdin.end(await render('prometheus', report))
    const [[code], output] = await Promise.all([once(promtool, 'exit'), text(promtool.stderr)])
    expect([code, output]).toEqual([0, ''])
  })
})

test('Prometheus text is read by a strict parser and says what happened', async () => {
  const samples = parsePrometheus(await render('prometheus'))
  const find = (name: string, labels: Readonly<Record<string, string>>) =>
    samples.find(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )?.value
  expect(find('swan_probe_success', { group: 'storage', probe: 'write' })).toBe(1)
  expect(find('swan_probe_success', { group: 'storage', probe: 'checksum' })).toBe(0)
  expect(find('swan_probe_success', { probe: 'servers' })).toBeUndefined()
  expect(find('swan_probe_status', { probe: 'servers', status: 'skipped' })).toBe(1)
  expect(find('swan_probe_measurement', { probe: 'write', name: 'write_mb_per_s' })).toBe(480.25)
  expect(find('swan_probe_measurement', { probe: 'write', name: 'odd' })).toBeUndefined()
  expect(find('swan_probe_last_run_timestamp_seconds', {})).toBe(Date.UTC(2026, 2, 1, 12) / 1000 + 1.5)
})

test('a Nagios line keeps the rules: one summary, then performance data, then the rest', async () => {
  const [first = '', ...rest] = (await render('nagios')).trimEnd().split('\n')
  const [head = '', data = '', ...more] = first.split('|')
  expect(more).toEqual([])
  expect(head).toMatch(/^SWAN-PROBE CRITICAL - 2 of 5 passed; storage\.throughput: /)
  const item = /^'[^'=]+'=(U|-?[\d.]+(e-?\d+)?(s|%|B|KB|MB|TB|c)?);[^;]*;[^;]*;[\d.]*;[\d.]*$/
  for (const word of data.split(' ')) expect(word).toMatch(item)
  expect(data).toContain("'storage.write.write_mb_per_s'=480.25;100:;~:1000;0;")
  expect(data).toContain("'storage.write.odd'=U;;;0;")
  expect(rest).toHaveLength(5)
  for (const line of rest) expect(line).not.toContain('|')
})

test('JSON holds everything', async () => {
  const report = JSON.parse(await render('json')) as { passed: boolean; results: Record<string, unknown>[] }
  expect(report.passed).toBe(false)
  expect(report.results[2]).toMatchObject({
    id: 'storage.checksum',
    status: 'fail',
    code: 'PROBE_CORRUPT',
    message: nasty,
  })
  expect(report.results[0]).toMatchObject({
    startedAt: '2026-03-01T12:00:00.000Z',
    metrics: [{ warn: '100:', crit: '~:1000' }, {}, {}],
  })
})

test('the table and the totals of the original', async () => {
  expect(await render('table')).toMatch(/^PASS {2}storage\.write {7}0\.250 s {2}write_mb_per_s 480 MB\/s/)
  expect(await render('table')).toContain('2 of 5 passed, 1 with a warning, 1 failed, 1 broke, 1 skipped, in 1.50 s')
  expect(await render('log')).toBe(
    "Total tests passed 2 Total number of tests 5\n['storage_test_write', 'storage_test_throughput']\n",
  )
})

test('a file is replaced whole or not at all', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'atomic-'))
  const file = path.join(dir, 'probe.prom')
  writeAtomic(file, 'first\n')
  writeAtomic(file, 'second\n')
  expect(readFileSync(file, 'utf8')).toBe('second\n')
  expect(() => writeAtomic(path.join(dir, 'missing/x.prom'), 'x')).toThrow('ENOENT')
  expect(readdirSync(dir)).toEqual(['probe.prom'])
  rmSync(dir, { recursive: true })
})

await describeWith('chromium', 'the HTML report', () => {
  test('shows verdicts and drawings, runs nothing, fetches nothing, fits narrow screens', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'html-'))
    const file = path.join(dir, 'report.html')
    writeAtomic(file, await render('html'))
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-gpu'],
    })
    const page = await browser.newPage({ viewport: { width: 420, height: 900 } })
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(`file://${file}`)
    expect(await page.title()).toBe('2 failed: probes on probe-host')
    expect(await page.locator('tbody tr').count()).toBe(5)
    expect(await page.locator('tbody .badge').allTextContents()).toEqual(['PASS', 'WARN', 'FAIL', 'ERROR', 'SKIPPED'])
    expect(await page.locator('svg[aria-label="When each probe ran"] rect').count()).toBe(4)
    expect(await page.locator('svg[aria-label="write rate of 3 files"] rect').count()).toBe(3)
    expect(await page.locator('tbody tr').nth(2).textContent()).toContain(`<b>"it's" & |pipe| \\back ]]>`)
    expect(await page.locator('tbody tr').nth(2).locator('pre').textContent()).toContain('second line 😀')
    expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([])
    expect(complaints).toEqual([])
    const wide = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
    expect(wide).toBe(false)
    await browser.close()
    rmSync(dir, { recursive: true })
  }, 60_000)
})
