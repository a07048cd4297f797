import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { bearerToken, createContainerApi } from '../../src/index.ts'
import { containersOf, freshProvisioner, PASSWORD, query } from '../provisioner/fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })

await describeWith('docker', 'recovery', () => {
  test('a server that still recovers is SERVER_RECOVERING and is let run; asked again it is ready, with every row', async () => {
    const { provisioner, root, again } = await freshProvisioner()
    const spec = { name: 'a', adminPassword: PASSWORD }
    await query(await provisioner.create(spec), 'CREATE TABLE kept AS SELECT 1 AS one')
    await provisioner.remove('a', { keepData: true })

    // Postgres asks an archive for more of its log before it lets anybody in; this archive lets it wait.
    const inside = (name: string) => path.join(root, 'a/pgdata', name)
    writeFileSync(inside('recovery.signal'), '')
    writeFileSync(inside('wait'), '')
    const restore = 'while test -e /var/lib/postgresql/data/wait; do sleep 0.1; done; false'
    const settings = { restore_command: restore }
    const hasty = await again({ readyTimeoutMs: 2000 })
    await expect(hasty.create({ ...spec, settings })).rejects.toMatchObject({
      code: 'SERVER_RECOVERING',
      remedy: expect.any(String),
      logTail: expect.arrayContaining([expect.stringContaining('database system was shut down')]),
    })
    expect(await hasty.get('a')).toMatchObject({ state: 'running' })
    const before = await containersOf(root)
    expect(before).toHaveLength(1)
    const handle = createContainerApi(hasty, { authorize: bearerToken('a token of the tests') })
    const headers = { authorization: 'Bearer a token of the tests' }
    const start = new Request('http://service/api/containers/a/start', { method: 'POST', headers })
    expect((await handle(start)).status).toBe(503)

    rmSync(inside('wait'))
    const server = await provisioner.create({ ...spec, settings })
    expect(await query(server, 'TABLE kept')).toEqual([{ one: 1 }])
    // The same container: its work was not thrown away.
    expect((await containersOf(root)).map(({ Id }) => Id)).toEqual(before.map(({ Id }) => Id))
  })

  test('a server whose log gives no cue is found ready all the same', async () => {
    const { provisioner } = await freshProvisioner()
    const settings = { log_min_messages: 'panic' }
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, settings })
    expect(await query(server, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    const log: string[] = []
    for await (const line of provisioner.logs('a')) log.push(line)
    expect(log.filter((line) => line.includes('ready to accept connections'))).toEqual([])
  })
})
