import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { temporaryFolder } from '../embedded/fixtures.ts'
import { freshProvisioner, PASSWORD, query } from './fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })
const main = path.join(import.meta.dirname, '../../src/cli/main.ts')

await describeWith('docker', 'a dump or restore whose program is killed', () => {
  test('leaves nothing that the next one does not clear away, and never half a database', async () => {
    const { provisioner, root } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, databases: ['shop'] })
    const rows = `SELECT md5(i::text) || md5((i * 7)::text) || md5((i * 9)::text) AS text FROM generate_series(1, 300000) i`
    await query(server, `CREATE TABLE item AS ${rows}`, PASSWORD, 'shop')
    const file = path.join(temporaryFolder(), 'shop.dump')
    const start = (...words: string[]): ChildProcess =>
      spawn(process.execPath, [main, ...words], { env: { CONTAINER_PG_ROOT: root }, stdio: 'ignore' })
    const kill = async (child: ChildProcess) => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const busy = () => query(server, `SELECT pid FROM pg_stat_activity WHERE application_name = 'container_pg_backup'`)
    const scratch = () => query(server, `SELECT datname FROM pg_database WHERE datname ~ '^container_pg'`)
    const soon = { timeout: 30_000, interval: 5 }

    const dumping = start('dump', 'a', 'shop', file)
    await vi.waitFor(() => expect(statSync(`${file}.partial`).size).toBeGreaterThan(0), soon)
    await kill(dumping)
    // It waits for a reader, and would do so for ever.
    expect(await busy()).toHaveLength(1)
    await provisioner.dump('a', { database: 'shop', file })
    expect(await busy()).toEqual([])
    expect(readdirSync(path.dirname(file)).toSorted()).toEqual(['shop.dump', 'shop.dump.json'])

    const restoring = start('restore', 'a', 'back', file)
    await vi.waitFor(async () => expect(await busy()).toHaveLength(1), soon)
    await kill(restoring)
    expect(await scratch()).toHaveLength(1)
    expect(await query(server, `SELECT 1 FROM pg_database WHERE datname = 'back'`)).toEqual([])
    await provisioner.restore('a', { database: 'back', file })
    expect(await scratch()).toEqual([])
    expect(await query(server, 'SELECT count(*)::int AS n FROM item', PASSWORD, 'back')).toEqual([{ n: 300_000 }])
  })
})
