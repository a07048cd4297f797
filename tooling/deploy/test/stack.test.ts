import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { describeWith } from '@org/services'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type Container, openStack, type Outcome, root, type Stack } from '../src/stack.ts'

const SERVICES = ['events-web', 'events-worker', 'hub', 'postgres', 'probe-watch', 'redis']
const serviceOf = ({ Config }: Container) => Config.Labels['com.docker.compose.service'] ?? ''

/** The guide's blocks that this file vouches for, by a word of theirs. */
function guide(word: string): string {
  const text = readFileSync(path.join(root, 'docs/guide/deploy.md'), 'utf8')
  const blocks = text.matchAll(/<!-- executed by tooling\/deploy\/test\/stack\.test\.ts -->\s+```sh\n(.*?)```/gs)
  return [...blocks].map(([, code = '']) => code).find((code) => code.includes(word)) ?? ''
}

/** Asks again and again; the test's own limit ends it. */
async function until<Value>(ask: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await delay(250)
  }
}

await describeWith(['docker', 'compose', 'mmdebstrap'], 'the composed stack', () => {
  let stack: Stack
  let probes: Outcome
  let events: string

  const done = ({ code, output }: Outcome) => {
    if (code !== 0) throw new Error(`compose ended with code ${code}:\n${output.slice(-4000)}`)
  }

  const healthy = async () => {
    const found = await stack.containers()
    return found.every(({ State }) => State.Health?.Status === 'healthy') && found
  }

  // With nothing cached: Debian, Node's packages and five builds.
  beforeAll(async () => {
    stack = await openStack()
    events = `http://127.0.0.1:${stack.ports.events}`
    done(await stack.compose('build'))
    done(await stack.compose('up', '--detach', '--no-build', 'events-web', 'events-worker', 'hub'))
    await until(healthy)
    // Once by hand, as long as nobody watches: there is one user for the probes, and he has one server.
    probes = await stack.compose('run', '--rm', '-T', 'probe-watch', '-c', '/etc/swan-probe/probes.yaml', '-f', 'table')
    done(await stack.compose('up', '--detach', '--no-build'))
  }, 600_000)

  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]()
  }, 90_000)

  test('passes its probes', () => {
    expect(probes.output).toContain('14 of 14 passed')
    expect(probes.code).toBe(0)
    for (const group of ['storage.write', 'jupyterhub_api.check_session', 'database.spawners']) {
      expect(probes.output).toMatch(new RegExp(`PASS +${group} `))
    }
  })

  test('becomes healthy, all of it', { timeout: 60_000 }, async () => {
    const containers = await until(healthy)
    expect(containers.map(serviceOf).sort()).toEqual(SERVICES)
  })

  test('is watched, and all probes are up', { timeout: 60_000 }, async () => {
    const { status, probes: states } = await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${stack.ports.watch}/healthz`)
      const body = (await answer.json()) as { status: string; probes: { id: string; state: string }[] }
      return body.probes.every(({ state }) => state !== 'unknown') && body
    })
    expect(states.filter(({ state }) => state !== 'up')).toEqual([])
    expect(status).toBe('ok')
  })

  test('gives each container only what it needs', { timeout: 60_000 }, async () => {
    for (const container of await stack.containers()) {
      const { User, Labels } = container.Config
      expect.soft(User, container.Name).toMatch(/^[1-9]\d*:[1-9]\d*$/)
      expect.soft(Labels, container.Name).toBeDefined()
      expect.soft(container.HostConfig, container.Name).toMatchObject({
        ReadonlyRootfs: true,
        Privileged: false,
        Init: true,
        CapAdd: null,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Memory: expect.toSatisfy((bytes: number) => bytes > 0),
        NanoCpus: expect.toSatisfy((share: number) => share > 0),
        PidsLimit: expect.toSatisfy((processes: number) => processes > 0),
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      })
      expect.soft(JSON.stringify(container), container.Name).not.toContain('docker.sock')
    }
  })

  test(
    'shows no secret: not to docker inspect, not among the processes, not in the log',
    { timeout: 60_000 },
    async () => {
      const shown = [
        JSON.stringify(await stack.containers()),
        (await stack.compose('top')).output,
        (await stack.compose('logs', '--no-color')).output,
        (await stack.compose('config')).output,
      ]
      expect(shown.map((text) => text.length > 500)).toEqual([true, true, true, true])
      const secrets = [...stack.secrets.values()].map((text) => text.replace('requirepass ', ''))
      expect(secrets).toHaveLength(9)
      for (const text of shown) {
        expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
      }
    },
  )

  test(
    'signs in with the password of the file, and a worker does what the web role was asked for',
    { timeout: 60_000 },
    async () => {
      const json = { 'content-type': 'application/json' }
      const login = { username: 'organiser', password: stack.secrets.get('events_organiser_password') }
      const session = await fetch(`${events}/login`, { method: 'POST', headers: json, body: JSON.stringify(login) })
      expect(session.status).toBe(200)
      const { token } = (await session.json()) as { token: string }
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/vnd.api+json' }
      const event = { data: { type: 'events', id: '1' } }
      const body = JSON.stringify({ data: { type: 'exports', relationships: { event } } })
      const asked = await fetch(`${events}/v1/exports`, { method: 'POST', headers, body })
      expect(asked.status).toBe(201)
      const { data } = (await asked.json()) as { data: { id: string } }
      const zip = await until(async () => {
        const answer = await fetch(`${events}/v1/exports/${data.id}/file`, { headers })
        return answer.ok && (await answer.arrayBuffer())
      })
      expect(Buffer.from(zip).subarray(0, 2).toString()).toBe('PK')
    },
  )

  test('makes an administrator, from a password that no process list shows', { timeout: 60_000 }, async () => {
    const { code, output } = await stack.shell(guide('create-admin'))
    expect(output).toContain('ada is an administrator')
    expect(code).toBe(0)
  })

  test('comes back from its backup as it was', { timeout: 120_000 }, async () => {
    const names = async () => {
      const { data } = (await (await fetch(`${events}/v1/events`)).json()) as {
        data: { attributes: { name: string } }[]
      }
      return data.map(({ attributes }) => attributes.name)
    }
    const admins = async () => {
      const headers = { authorization: `token ${stack.secrets.get('hub_probe_token')}` }
      const answer = await fetch(`http://127.0.0.1:${stack.ports.hub}/hub/api/users/probe`, { headers })
      return answer.status
    }
    const before = await names()
    expect(before.length).toBeGreaterThan(0)
    done(await stack.shell(guide('pg_dump')))
    const sql = "update events set name = 'lost'"
    done(await stack.compose('exec', '-T', 'postgres', 'psql', '--username=events', '--command', sql, 'events'))
    expect(await names()).not.toEqual(before)
    done(await stack.shell(guide('pg_restore')))
    const restored = await until(() => names().catch(() => undefined))
    expect(restored).toEqual(before)
    expect(await until(async () => (await admins().catch(() => 0)) === 200)).toBe(true)
  })

  test('grows', { timeout: 60_000 }, async () => {
    const { events: first } = stack.ports
    done(await stack.shell(guide('--scale').replace('8010-8013', `${first}-${first + 3}`)))
    const count = new Map<string, number>()
    for (const each of await stack.containers()) count.set(serviceOf(each), (count.get(serviceOf(each)) ?? 0) + 1)
    expect(Object.fromEntries(count)).toMatchObject({ 'events-web': 3, 'events-worker': 2 })
  })

  test('ends in order when it is stopped, and leaves nothing', { timeout: 120_000 }, async () => {
    done(await stack.compose('stop'))
    const ended = await stack.containers()
    expect(ended.filter(({ State }) => State.ExitCode !== 0).map(({ Name, State }) => [Name, State])).toEqual([])
    expect(await stack.remains()).not.toEqual([])
    await stack[Symbol.asyncDispose]()
    expect(await stack.remains()).toEqual([])
  })
})
