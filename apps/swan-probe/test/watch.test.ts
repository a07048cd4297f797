import { setTimeout as delay } from 'node:timers/promises'

import { describeWith, freePort } from '@org/services'
import { chromium } from 'playwright-core'
import { describe, expect, test } from 'vitest'

import { HealthSets } from '../src/watch/health.ts'
import { systemClock } from '../src/watch/schedule.ts'
import { serveStatus } from '../src/watch/server.ts'
import { Watcher } from '../src/watch/watcher.ts'
import { swanProbe } from './cli.ts'
import { configOf } from './config.ts'
import { startFakeHub } from './fake-hub.ts'
import { parsePrometheus } from './prometheus.ts'
import { mixedReport, resultOf } from './report.ts'

const anywhere = { host: '127.0.0.1', port: 0 }
const two = `
tests:
  storage:
    mount: {mode: host}
    exists: {filePath: /etc/passwd}
watch: {failureThreshold: 2, successThreshold: 2}
`

const get = async (url: string) => {
  const response = await fetch(url)
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') }
}

describe('the watcher', () => {
  test('changes a state after the thresholds, and a skipped run changes nothing', () => {
    const watcher = new Watcher(configOf(two))
    const states = (['fail', 'pass', 'fail', 'fail', 'skipped', 'pass', 'skipped', 'warn'] as const).map((status) => {
      watcher.observe(resultOf({ name: 'exists', status }))
      return watcher.probes[1]?.state
    })
    expect(states).toEqual(['unknown', 'unknown', 'unknown', 'down', 'down', 'down', 'down', 'up'])
    expect(watcher.probes[1]).toMatchObject({ runs: 6, failures: 3 })
    expect(watcher.probes[0]).toMatchObject({ state: 'unknown', runs: 0 })
  })

  test('keeps a history of bounded length', () => {
    const watcher = new Watcher(configOf(two))
    for (let index = 0; index < 200; index++) watcher.observe(resultOf({ name: 'exists', seconds: index }))
    expect(watcher.probes[1]?.history).toHaveLength(90)
    expect(watcher.probes[1]?.history.at(-1)?.seconds).toBe(199)
  })

  test('runs chains together, on the shortest of their periods, and puts everything away at the end', async () => {
    await using hub = await startFakeHub({ spawnMs: 5 })
    const common = { scheme: 'http', port: hub.port, token: hub.token, users: ['alice'] }
    const config = configOf(
      JSON.stringify({
        tests: {
          jupyterhub_api: {
            create_session: { ...common, every: 3600 },
            check_session: common,
            stop_session: { ...common, every: 0.05 },
          },
        },
        watch: { every: 3600 },
      }),
    )
    const watcher = new Watcher(config)
    const stop = new AbortController()
    const running = watcher.run(stop.signal)
    await expect
      .poll(() => watcher.probes.map((probe) => probe.runs >= 2), { timeout: 20_000 })
      .toEqual([true, true, true])
    stop.abort()
    await running
    expect(hub.server).toBe('none')
    expect(watcher.probes.map((probe) => probe.state)).toEqual(['up', 'up', 'up'])
  })
})

describe('the status server', () => {
  test('/healthz is 200 until something is down; /metrics parses', async () => {
    const watcher = new Watcher(configOf(two))
    await using server = await serveStatus(watcher, anywhere)
    expect(await get(`${server.url}healthz`)).toMatchObject({ status: 200, type: 'application/json' })
    for (let index = 0; index < 2; index++) {
      watcher.observe(resultOf({ name: 'exists' }))
      watcher.observe(resultOf({ name: 'mount', status: 'fail', message: 'not mounted' }))
    }
    const health = await get(`${server.url}healthz`)
    expect(health.status).toBe(503)
    expect(JSON.parse(health.text)).toEqual({
      status: 'failing',
      probes: [
        { id: 'storage.mount', state: 'down', message: 'not mounted' },
        { id: 'storage.exists', state: 'up' },
      ],
    })
    const metrics = parsePrometheus((await get(`${server.url}metrics`)).text)
    const value = (name: string, probe: string) =>
      metrics.find((sample) => sample.name === name && sample.labels['probe'] === probe)?.value
    expect([value('swan_probe_up', 'mount'), value('swan_probe_up', 'exists')]).toEqual([0, 1])
    expect([value('swan_probe_runs_total', 'mount'), value('swan_probe_failures_total', 'mount')]).toEqual([2, 2])
  })

  test('answers nothing else', async () => {
    await using server = await serveStatus(new Watcher(configOf(two)), anywhere)
    expect((await get(`${server.url}nothing`)).status).toBe(404)
    expect((await get(`${server.url}healthz/liveness`)).status).toBe(404)
    expect((await get(`${server.url}healthz/constructor`)).status).toBe(404)
    expect((await fetch(server.url, { method: 'POST' })).status).toBe(405)
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200)
  })

  test('names the setting when its port is taken', async () => {
    await using server = await serveStatus(new Watcher(configOf(two)), anywhere)
    const port = Number(new URL(server.url).port)
    await expect(serveStatus(new Watcher(configOf(two)), { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'PROBE_USAGE',
      message: expect.stringContaining('watch.port'),
    })
  })
})

describe('health sets', () => {
  const config = (sets: unknown) =>
    configOf(
      `tests: {storage: {exists: {filePath: /etc/passwd}, mount: {mode: host}}}\nhealth: ${JSON.stringify(sets)}`,
    )
  const good = { ...mixedReport, results: [resultOf()] }
  const bad = { ...mixedReport, results: [resultOf({ status: 'fail', message: 'broken' })] }
  const set = { probes: ['storage.exists'] }

  test('liveness holds until it failed three times in a row, readiness does not until it passed', () => {
    const health = new HealthSets(config({ liveness: set, readiness: { ...set, successThreshold: 2 } }))
    const ok = () => [health.answer('liveness')?.ok, health.answer('readiness')?.ok]
    expect(ok()).toEqual([true, false])
    health.observe('readiness', good)
    expect(ok()).toEqual([true, false])
    health.observe('readiness', good)
    expect(ok()).toEqual([true, true])
    for (const expected of [true, true, false]) {
      health.observe('liveness', bad)
      expect(ok()).toEqual([expected, true])
    }
    expect(health.answer('liveness')?.reason).toBe('storage.write: broken')
    health.observe('liveness', good)
    expect(ok()).toEqual([true, true])
  })

  test('nothing is ready before startup succeeded', () => {
    const health = new HealthSets(config({ startup: set, readiness: set }))
    health.observe('readiness', good)
    expect(health.answer('readiness')?.ok).toBe(false)
    health.observe('startup', good)
    expect(health.answer('readiness')?.ok).toBe(true)
    expect(health.answer('liveness')).toBeUndefined()
  })

  test('startup holds the others back, and is not asked again once it succeeded', async () => {
    let up = false
    await using hub = await startFakeHub({ fault: () => (up ? undefined : { status: 500, body: {} }) })
    const api = { check_api: { scheme: 'http', port: hub.port } }
    const sets = { probes: ['jupyterhub_api.check_api'], timeoutSeconds: 5, periodSeconds: 1 }
    const { entries, health } = configOf(
      JSON.stringify({
        tests: { jupyterhub_api: api },
        health: { startup: sets, readiness: { ...sets, periodSeconds: 3600 } },
      }),
    )
    const watched = new HealthSets({ entries, health })
    const stop = new AbortController()
    const { HelperPool } = await import('../src/isolation/pool.ts')
    await using pool = new HelperPool()
    const clock = { ...systemClock, wait: (_: number, signal: AbortSignal) => systemClock.wait(20, signal) }
    const running = watched.watch({ clock, signal: stop.signal, pool })
    await expect.poll(() => hub.calls.length, { timeout: 10_000 }).toBeGreaterThan(2)
    expect([watched.answer('startup')?.ok, watched.answer('readiness')?.ok]).toEqual([false, false])
    up = true
    await expect.poll(() => watched.answer('readiness')?.ok, { timeout: 10_000 }).toBe(true)
    stop.abort()
    await running
  })
})

await describeWith('chromium', 'the status page', () => {
  test('shows states, reasons and history, without a script and without another host', async () => {
    const watcher = new Watcher(configOf(two))
    for (let index = 0; index < 30; index++) {
      watcher.observe(resultOf({ name: 'exists', seconds: index / 10 }))
      watcher.observe(resultOf({ name: 'mount', status: 'fail', message: 'The mount table lacks <eos>' }))
    }
    await using server = await serveStatus(watcher, anywhere)
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-gpu'],
    })
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(server.url)
    expect(await page.title()).toBe('1 down')
    expect(await page.locator('h1').textContent()).toBe('1 of 2 down')
    expect(await page.locator('tbody .badge').allTextContents()).toEqual(['FAIL', 'PASS'])
    expect(await page.locator('tbody tr').first().textContent()).toContain('The mount table lacks <eos>')
    expect(await page.locator('tbody tr').last().locator('svg rect').count()).toBe(30)
    const colour = (row: number) =>
      page.evaluate(`getComputedStyle(document.querySelectorAll('tbody tr')[${row}].querySelector('rect')).fill`)
    expect(await colour(0)).not.toBe(await colour(1))
    expect(complaints).toEqual([])
    await browser.close()
  })
})

test('the command watches until it is stopped, then exits 0', async () => {
  const port = await freePort()
  const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs')
  const dir = mkdtempSync('/tmp/watch-')
  writeFileSync(
    `${dir}/watch.yaml`,
    `tests: {storage: {exists: {filePath: /etc/passwd, every: 0.1}}}\nwatch: {port: ${port}}\n`,
  )
  let status = 0
  const { code, stdout } = await swanProbe(['watch', '-c', `${dir}/watch.yaml`], {
    onOutput: (_, child) => {
      void (async () => {
        while (
          !(await get(`http://127.0.0.1:${port}/metrics`)).text.includes(
            'swan_probe_up{group="storage",probe="exists"} 1',
          )
        )
          await delay(50)
        status = (await get(`http://127.0.0.1:${port}/`)).status
        child.kill('SIGTERM')
      })()
    },
  })
  expect(stdout).toBe(`Watching 1 probes on http://127.0.0.1:${port}/\n`)
  expect(status).toBe(200)
  expect(code).toBe(0)
  rmSync(dir, { recursive: true })
})
