import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describeWith } from '@org/services'
import { expect, test, vi } from 'vitest'

import { temporaryFolder } from '../embedded/fixtures.ts'
import { freshProvisioner, PASSWORD, query } from './fixtures.ts'

vi.setConfig({ testTimeout: 90_000 })

await describeWith('docker', 'operations', () => {
  test('a dump is proven, and restores to the same rows', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, databases: ["it's = odd"] })
    await query(
      server,
      'CREATE TABLE t AS SELECT i, repeat(md5(i::text), 50) AS text FROM generate_series(1, 20000) i',
      PASSWORD,
      "it's = odd",
    )
    const folder = temporaryFolder()
    const file = path.join(folder, 'odd.dump')
    const manifest = await provisioner.dump('a', { database: "it's = odd", file })
    expect(manifest).toMatchObject({ server: 'a', database: "it's = odd", bytes: statSync(file).size, verified: true })
    expect(readdirSync(folder).toSorted()).toEqual(['odd.dump', 'odd.dump.json'])
    expect(await query(server, "SELECT 1 FROM pg_database WHERE datname LIKE 'container\\_pg%'")).toEqual([])

    // One after the other, whoever asks at once.
    await Promise.all([
      provisioner.restore('a', { database: 'back', file }),
      provisioner.dump('a', { database: 'postgres', file: path.join(folder, 'b.dump') }),
    ])
    const sum = 'SELECT count(*)::int AS n, md5(string_agg(text, $$,$$ ORDER BY i)) AS sum FROM t'
    expect(await query(server, sum, PASSWORD, 'back')).toEqual(await query(server, sum, PASSWORD, "it's = odd"))
    await expect(provisioner.restore('a', { database: 'back', file })).rejects.toMatchObject({
      code: 'DATABASE_EXISTS',
    })
    await expect(provisioner.dump('a', { database: 'back', file })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('a dump that cannot be restored is none, and says why', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD, databases: ['shop'] })
    const statements = [
      'CREATE TABLE allowed AS SELECT 1 AS n',
      `CREATE FUNCTION fits(text) RETURNS bool LANGUAGE sql AS 'SELECT count(*) = 1 FROM allowed'`,
      // Checked again row by row at a restore, where nothing is found without its schema's name.
      'CREATE TABLE item (text text CHECK (fits(text)))',
      'INSERT INTO item SELECT md5(i::text) || md5((i * 7)::text) FROM generate_series(1, 20000) i',
    ]
    await query(server, statements.join(';'), PASSWORD, 'shop')
    const folder = temporaryFolder()
    await expect(provisioner.dump('a', { database: 'shop', file: path.join(folder, 'x.dump') })).rejects.toMatchObject({
      code: 'DUMP_FAILED',
      logTail: expect.arrayContaining([expect.stringContaining('relation "allowed" does not exist')]),
    })
    expect(readdirSync(folder)).toEqual([])
    expect(await query(server, `SELECT datname FROM pg_database WHERE datname ~ 'container_pg'`)).toEqual([])
  })

  test('a damaged dump is refused, a failing one leaves no file, a stopped server has none', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    const folder = temporaryFolder()
    const file = path.join(folder, 'x.dump')
    await expect(provisioner.dump('a', { database: 'missing', file })).rejects.toMatchObject({
      code: 'DUMP_FAILED',
      message: expect.stringContaining('missing'),
    })
    expect(readdirSync(folder)).toEqual([])
    // A manifest alone is what a kill leaves at the worst.
    writeFileSync(`${file}.json`, '{')
    await expect(provisioner.restore('a', { database: 'back', file })).rejects.toMatchObject({ code: 'DUMP_DAMAGED' })
    await expect(
      provisioner.dump('a', { database: 'postgres', file: path.join(folder, 'missing/x') }),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('ENOENT') })
    await provisioner.dump('a', { database: 'postgres', file })
    expect([statSync(file).mode & 0o777, statSync(`${file}.json`).mode & 0o777]).toEqual([0o600, 0o600])
    const bytes = readFileSync(file)
    bytes[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 1
    writeFileSync(file, bytes)
    await expect(provisioner.restore('a', { database: 'back', file })).rejects.toMatchObject({ code: 'DUMP_DAMAGED' })
    expect(await query(server, "SELECT 1 FROM pg_database WHERE datname = 'back'")).toEqual([])
    await provisioner.stop('a')
    await expect(provisioner.dump('a', { database: 'postgres', file: `${file}2` })).rejects.toMatchObject({
      code: 'NOT_RUNNING',
    })
  })

  test('a new password is in force at once, and the old one is needed for it', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    const next = `it's "new" \\ $1 ünïcode`
    await expect(provisioner.rotatePassword('a', { current: 'guess', next })).rejects.toMatchObject({
      code: 'WRONG_PASSWORD',
    })
    await provisioner.rotatePassword('a', { current: PASSWORD, next })
    // As whoever was cut off before the answer came.
    await provisioner.rotatePassword('a', { current: PASSWORD, next })
    expect(await query(server, 'SELECT 1 AS one', next)).toEqual([{ one: 1 }])
    await expect(query(server, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    await expect(provisioner.rotatePassword('a', { current: next, next: 'a\nb' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  test('init scripts run once, in order, before the server is handed out; a failing one undoes everything', async () => {
    const { provisioner, root } = await freshProvisioner()
    const spec = { name: 'a', adminPassword: PASSWORD }
    await expect(
      provisioner.create({ ...spec, initScripts: ['CREATE TABLE half ()', 'SELECT 1/0'] }),
    ).rejects.toMatchObject({
      code: 'INIT_SCRIPT_FAILED',
      message: expect.stringContaining('Script 2'),
    })
    expect(readdirSync(root)).toEqual(['.container-pg'])
    await expect(
      provisioner.create({ ...spec, initScripts: ['ALTER DATABASE template1 RENAME TO gone'], databases: ['b'] }),
    ).rejects.toMatchObject({ code: 'SERVER_FAILED', message: expect.stringContaining('template1') })
    expect(readdirSync(root)).toEqual(['.container-pg'])
    const scripts = [
      'CREATE TABLE steps (n int); INSERT INTO steps VALUES (1); COMMIT; SET search_path = pg_catalog; BEGIN',
      'INSERT INTO steps VALUES (2)',
    ]
    const server = await provisioner.create({ ...spec, initScripts: scripts })
    await provisioner.stop('a')
    await provisioner.create({ ...spec, initScripts: scripts })
    expect(await query(server, 'TABLE steps')).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('logs give the last lines, and follow until they are told to stop', async () => {
    const { provisioner } = await freshProvisioner()
    const server = await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    const lines: string[] = []
    for await (const line of provisioner.logs('a', { tail: 1 })) lines.push(line)
    expect(lines).toEqual([expect.stringContaining('ready to accept connections')])
    const stop = new AbortController()
    await query(server, `DO $$ BEGIN RAISE LOG 'first cue'; END $$`)
    const seen: string[] = []
    let second: Promise<unknown> | undefined
    for await (const line of provisioner.logs('a', { follow: true, signal: stop.signal })) {
      seen.push(line)
      if (line.includes('first cue')) second ??= query(server, `DO $$ BEGIN RAISE LOG 'second cue'; END $$`)
      if (line.includes('second cue')) stop.abort()
    }
    await second
    expect(seen.filter((line) => line.includes('second cue')).length).toBeGreaterThan(0)
  })

  test('events tell what happened to which server', async () => {
    const { provisioner } = await freshProvisioner()
    await provisioner.create({ name: 'a', adminPassword: PASSWORD })
    const stop = new AbortController()
    const kinds: string[] = []
    const watching = (async () => {
      for await (const event of provisioner.events(stop.signal)) {
        kinds.push(`${event.name} ${event.kind}`)
        if (kinds.includes('a started') && kinds.includes('a ended')) stop.abort()
      }
    })()
    // The stream has no sign that it is listening; what is asked for is repeated until it is heard.
    while (!stop.signal.aborted) {
      await provisioner.stop('a')
      await provisioner.start('a')
    }
    await watching
    expect(new Set(kinds)).toEqual(new Set(['a started', 'a ended']))
  })
})
