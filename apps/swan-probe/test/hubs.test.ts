import { DatabaseSync } from 'node:sqlite'

import { describeWith, hasService } from '@org/services'
import { describe, expect, test, vi } from 'vitest'

import { startJupyterHub } from './jupyterhub.ts'
import { startOurHub } from './our-hub.ts'
import { runYaml, verdicts } from './run.ts'
import type { TestHub } from './test-hub.ts'

/**
 * One list of scenarios, one table of verdicts, for every hub: what is well and what is not must not depend on whose hub
 * it is. The hubs are tried side by side, since most of the time they are waited for.
 */
function suite(name: string, start: () => Promise<TestHub>): void {
  let hub: TestHub
  const scenarios: (readonly [string, () => Promise<void>])[] = []
  const scenario = (words: string, body: () => Promise<void>) => scenarios.push([words, body])

  const tests = (user: string, changes: { token?: string; delay?: number; timeout?: number } = {}) => {
    const { delay = 40, token = hub.token, ...rest } = changes
    const address = {
      scheme: 'http',
      hostname: '127.0.0.1',
      port: String(hub.port),
      base_path: '',
      verify: false,
      ...rest,
    }
    const session = { ...address, token, users: [user] }
    const database = { path: hub.database, user, timeout: 2 }
    return {
      jupyterhub_api: {
        check_api: address,
        token: session,
        create_session: { ...address, token, users: [user], params: { ncores: 2 }, delay },
        check_session: session,
        stop_session: session,
      },
      database: {
        token: { ...database, mode: 'active', table_name: 'api_tokens' },
        servers: { ...database, mode: 'active', table_name: 'servers' },
        spawners: { ...database, mode: 'delete', table_name: 'spawners' },
      },
    }
  }
  const run = async (...words: Parameters<typeof tests>) => runYaml(JSON.stringify(tests(...words)))

  const skipped = 'skipped PROBE_NEEDS'
  const expected = (verdictsOf: {
    api?: string
    token?: string
    create?: string
    check?: string
    stop?: string
    active?: string
    gone?: string
  }) => [
    ['jupyterhub_api.check_api', verdictsOf.api ?? 'pass'],
    ['jupyterhub_api.token', verdictsOf.token ?? 'pass'],
    ['jupyterhub_api.create_session', verdictsOf.create ?? 'pass'],
    ['jupyterhub_api.check_session', verdictsOf.check ?? skipped],
    ['jupyterhub_api.stop_session', verdictsOf.stop ?? skipped],
    ['database.token', verdictsOf.active ?? skipped],
    ['database.servers', verdictsOf.active ?? skipped],
    ['database.spawners', verdictsOf.gone ?? skipped],
  ]

  scenario('healthy: all pass, and nothing is left running', async () => {
    const report = await run('alice')
    expect(verdicts(report)).toEqual(expected({ check: 'pass', stop: 'pass', active: 'pass', gone: 'pass' }))
    const again = await runYaml(
      JSON.stringify({ database: { servers: { path: hub.database, user: 'alice', mode: 'delete' } } }),
    )
    expect(verdicts(again)).toEqual([['database.servers', 'pass']])
  })

  scenario('a server that ends at its start', async () => {
    const report = await run('failing')
    expect(verdicts(report)).toEqual(expected({ create: 'fail PROBE_SPAWN_FAILED' }))
  })

  scenario('a server that never answers', async () => {
    const report = await run('never', { delay: 2 })
    expect(verdicts(report)).toEqual(expected({ create: 'fail PROBE_TIMEOUT' }))
    expect(report.results.flatMap((result) => result.left)).toEqual([])
    // The delay, the 8 s to put it away, and a second.
    expect(report.seconds).toBeLessThan(11)
  })

  scenario('a wrong token', async () => {
    const report = await run('alice', { token: 'f'.repeat(32) })
    const rejected = 'fail PROBE_TOKEN_REJECTED'
    expect(verdicts(report)).toEqual(expected({ token: rejected, create: rejected }))
  })

  scenario('a user whom the hub does not know', async () => {
    const report = await run('nobody')
    const unknown = 'fail PROBE_USER_UNKNOWN'
    expect(verdicts(report)).toEqual(expected({ token: unknown, create: unknown }))
  })

  scenario('a session of somebody else, which stays', async () => {
    const { jupyterhub_api: probes, database } = tests('user1')
    const started = await runYaml(JSON.stringify({ jupyterhub_api: { create_session: probes.create_session } }))
    expect(verdicts(started)).toEqual([['jupyterhub_api.create_session', 'pass']])
    expect(verdicts(await run('user1'))).toEqual(expected({ create: 'fail PROBE_SESSION_FOREIGN' }))
    // user10 has no session, though user1 has one.
    const other = { ...probes.check_session, users: ['user10'] }
    const report = await runYaml(
      JSON.stringify({
        jupyterhub_api: { check_session: other },
        database: { servers: { ...database.servers, user: 'user10' }, token: database.token },
      }),
    )
    expect(verdicts(report)).toEqual([
      ['jupyterhub_api.check_session', 'fail PROBE_SESSION_MISSING'],
      ['database.servers', 'fail PROBE_DB_STATE'],
      ['database.token', 'pass'],
    ])
    const end = await runYaml(
      JSON.stringify({ jupyterhub_api: { check_session: probes.check_session, stop_session: probes.stop_session } }),
    )
    expect(verdicts(end).map(([, verdict]) => verdict)).toEqual(['pass', 'pass'])
  })

  scenario('a token that is revoked on the way', async () => {
    const api = `http://127.0.0.1:${hub.port}/hub/api/users/bob/tokens`
    const headers = { authorization: `token ${hub.token}` }
    const made = (await (await fetch(api, { method: 'POST', headers })).json()) as { id: string; token: string }
    const { jupyterhub_api: probes } = tests('bob', { token: made.token })
    const first = await runYaml(JSON.stringify({ jupyterhub_api: { token: probes.token } }))
    expect(verdicts(first)).toEqual([['jupyterhub_api.token', 'pass']])
    await fetch(`${api}/${made.id}`, { method: 'DELETE', headers })
    const second = await runYaml(JSON.stringify({ jupyterhub_api: { token: probes.token } }))
    expect(verdicts(second)).toEqual([['jupyterhub_api.token', 'fail PROBE_TOKEN_REJECTED']])
    expect(JSON.stringify([first, second])).not.toContain(made.token)
  })

  scenario('a database that another process keeps locked', async () => {
    const { jupyterhub_api: probes } = tests('alice')
    using _ = lock(hub.database)
    const report = await runYaml(
      JSON.stringify({ jupyterhub_api: { check_api: probes.check_api, create_session: probes.create_session } }),
    )
    expect(verdicts(report)).toEqual([
      ['jupyterhub_api.check_api', 'pass'],
      ['jupyterhub_api.create_session', 'fail PROBE_HUB_DATABASE'],
    ])
  })

  scenario('a hub that is frozen, and one that is killed under its proxy', async () => {
    const { jupyterhub_api: probes } = tests('alice', { timeout: 2 })
    const check = () => runYaml(JSON.stringify({ jupyterhub_api: { check_api: probes.check_api } }))
    process.kill(hub.pid, 'SIGSTOP')
    expect(verdicts(await check())).toEqual([['jupyterhub_api.check_api', 'fail PROBE_TIMEOUT']])
    process.kill(hub.pid, 'SIGCONT')
    expect(verdicts(await check())).toEqual([['jupyterhub_api.check_api', 'pass']])
    process.kill(hub.pid, 'SIGKILL')
    await vi.waitFor(
      async () => expect(verdicts(await check())).toEqual([['jupyterhub_api.check_api', 'fail PROBE_HUB_UNREACHABLE']]),
      { timeout: 10_000, interval: 100 },
    )
  })

  test.concurrent(
    name,
    async () => {
      hub = await start()
      const failures: Error[] = []
      try {
        for (const [words, body] of scenarios) {
          try {
            await body()
          } catch (error) {
            failures.push(new Error(`${words}: ${(error as Error).message}`, { cause: error }))
          }
        }
      } finally {
        await hub[Symbol.asyncDispose]()
      }
      expect(failures).toEqual([])
    },
    180_000,
  )
}

/** Keeps a lock that nobody writes beside; without WAL nobody reads either. */
function lock(file: string): Disposable {
  const database = new DatabaseSync(file, { timeout: 10_000 })
  database.exec('begin exclusive')
  return {
    [Symbol.dispose]() {
      database.exec('rollback')
      database.close()
    },
  }
}

const ours = () => suite('our hub', startOurHub)
if (!(await hasService('jupyterhub'))) {
  describe('the verdicts are right on', () => {
    ours()
  })
}

await describeWith('jupyterhub', 'the verdicts are the same on', () => {
  ours()
  suite('JupyterHub 3.0', startJupyterHub)
})
