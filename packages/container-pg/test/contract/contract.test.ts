import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'

import { describeWith, ensurePostgresImage } from '@org/services'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { roomyTmpfs } from '../provisioner/fixtures.ts'
import { Container, runToEnd } from './container.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** What the provisioner and its users rely on, checked on whatever image is in use: if this fails, the rest means nothing. */
await describeWith('docker', 'the image honours the contract of the official one', () => {
  let folder: string
  let major: number
  let pgdata: string
  let volume: string

  beforeAll(async () => {
    folder = mkdtempSync(path.join(roomyTmpfs(), 'cpg-contract-'))
    const { Config } = await new Docker().getImage(await ensurePostgresImage()).inspect()
    const env = Object.fromEntries((Config.Env ?? []).map((line) => line.split('=') as [string, string]))
    major = Number(env['PG_MAJOR'])
    pgdata = env['PGDATA'] ?? ''
    volume = Object.keys(Config.Volumes ?? {})[0] ?? ''
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const put = (name: string, content: string | Buffer, mode = 0o644): string => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode)
    return file
  }

  describe('without a server', () => {
    test('1 refuses an empty folder without a password, naming the variable', async () => {
      const { code, log } = await runToEnd({})
      expect(code).toBe(1)
      expect(log).toContain('POSTGRES_PASSWORD')
    })

    test('2 refuses a variable together with its file', async () => {
      const { code } = await runToEnd({ Env: ['POSTGRES_PASSWORD=a', 'POSTGRES_PASSWORD_FILE=/etc/passwd'] })
      expect(code).toBe(1)
    })

    test('3 answers --version without a password and without making a cluster', async () => {
      const { code, log } = await runToEnd({ Cmd: ['--version'] })
      expect(code).toBe(0)
      expect(log).toContain(`(PostgreSQL) ${major}.`)
    })

    test('4 answers --help the same way', async () => {
      const { code, log } = await runToEnd({ Cmd: ['--help'] })
      expect(code).toBe(0)
      expect(log).toContain('Usage:')
    })

    test('5 runs any other command as it is, as root', async () => {
      expect(await runToEnd({ Cmd: ['id', '-u'] })).toEqual({ code: 0, log: '0\n' })
    })

    test('6 declares a volume that holds the data folder', () => {
      expect(volume).toBe(major >= 18 ? '/var/lib/postgresql' : '/var/lib/postgresql/data')
      expect(pgdata.startsWith(volume)).toBe(true)
    })
  })

  describe('a first start as root with everything set', () => {
    let container: Container
    let data: string
    const login = { user: 'alice', password: 'two words' }

    beforeAll(async () => {
      data = path.join(folder, 'data')
      mkdirSync(data)
      writeFileSync(path.join(data, '.keep'), '')
      rmSync(path.join(data, '.keep'))
      put('password', 'two words\n\n')
      put('init/1.sql', 'CREATE TABLE steps (n serial, what text, db text DEFAULT current_database());')
      put(
        'init/2.sh',
        `#!/bin/sh\npsql -U alice -d "$POSTGRES_DB" -c "INSERT INTO steps (what) VALUES ('run $SHLVL')"\nid -u > /tmp/init-uid`,
        0o755,
      )
      put(
        'init/3.sh',
        'SOURCED=yes; psql -U alice -d "$POSTGRES_DB" -c "INSERT INTO steps (what) VALUES (\'sourced\')"',
      )
      put(
        'init/4.sh',
        '#!/bin/sh\npsql -U alice -d "$POSTGRES_DB" -c "INSERT INTO steps (what) VALUES (\'after ${SOURCED:-nothing}\')"',
      )
      put('init/5.sql.gz', gzipSync("INSERT INTO steps (what) VALUES ('gz')"))
      put('plain.sql', "INSERT INTO steps (what) VALUES ('xz')")
      put('init/6.sql.xz', execFileSync('xz', ['-c', path.join(folder, 'plain.sql')]))
      put('plain.sql', "INSERT INTO steps (what) VALUES ('zst')")
      put('init/7.sql.zst', execFileSync('zstd', ['-qc', path.join(folder, 'plain.sql')]))
      put('init/8.txt', "INSERT INTO steps (what) VALUES ('text')")
      put('init/9.sql', "INSERT INTO steps (what) VALUES ('listen:' || current_setting('listen_addresses'))")
      container = await Container.start({
        Env: [
          'POSTGRES_USER=alice',
          'POSTGRES_PASSWORD_FILE=/run-password',
          'POSTGRES_DB=we "ird',
          'POSTGRES_INITDB_ARGS=--data-checksums',
        ],
        HostConfig: {
          Binds: [
            `${data}:${volume}`,
            `${folder}/init:/docker-entrypoint-initdb.d:ro`,
            `${folder}/password:/run-password:ro`,
          ],
        },
      })
      await container.ready(login)
    })
    afterAll(() => container[Symbol.asyncDispose]())

    const inside = (statement: string) => container.query(statement, { ...login, database: 'we "ird' })

    test('7 takes the password from its file, trailing line breaks dropped', async () => {
      expect(await inside('SELECT 1')).toEqual([[1]])
    })

    test('8 makes the given role the superuser', async () => {
      expect(await inside('SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([[true]])
    })

    test('9 makes no role postgres then', async () => {
      expect(await inside("SELECT 1 FROM pg_roles WHERE rolname = 'postgres'")).toEqual([])
    })

    test('10 makes a database with an odd name intact', async () => {
      expect(await inside('SELECT current_database()')).toEqual([['we "ird']])
    })

    test('11 hands the arguments on to initdb', async () => {
      expect(await inside('SHOW data_checksums')).toEqual([['on']])
    })

    test('12 ends pg_hba.conf with a line for everybody, by password', async () => {
      const file = path.join(data, path.posix.relative(volume, pgdata), 'pg_hba.conf')
      expect(readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)).toMatch(/^host all all all scram-sha-256$/)
    })

    test('13 trusts its local socket', async () => {
      expect(
        await container.run('env', 'PGPASSWORD=wrong', 'psql', '-U', 'alice', '-d', 'postgres', '-Atc', 'SELECT 1'),
      ).toBe('1')
    })

    test('14 trusts its own loopback', async () => {
      const psql = ['psql', '-h', '127.0.0.1', '-U', 'alice', '-d', 'postgres', '-Atc', 'SELECT 1']
      expect(await container.run('env', 'PGPASSWORD=wrong', ...psql)).toBe('1')
    })

    test('15 refuses a wrong password through the published port', async () => {
      await expect(container.query('SELECT 1', { ...login, password: 'wrong' })).rejects.toMatchObject({
        code: '28P01',
      })
    })

    test('16 runs init files in the order of their names, in the database asked for', async () => {
      const rows = await inside('SELECT what, db FROM steps ORDER BY n')
      expect(rows.map(([what]) => String(what).replace(/run \d+/, 'run'))).toEqual(
        expect.arrayContaining(['run', 'sourced', 'after yes', 'gz', 'xz', 'zst']),
      )
      expect(new Set(rows.map(([, db]) => db))).toEqual(new Set(['we "ird']))
    })

    test('17 runs executable scripts and sources the others', async () => {
      const rows = (await inside('SELECT what FROM steps ORDER BY n')).flat()
      expect(rows.slice(1, 3)).toEqual(['sourced', 'after yes'])
    })

    test('18 unpacks gz, xz and zst', async () => {
      const rows = (await inside('SELECT what FROM steps ORDER BY n')).flat()
      expect(rows.slice(3, 6)).toEqual(['gz', 'xz', 'zst'])
    })

    test('19 skips files of other kinds', async () => {
      expect(await inside("SELECT 1 FROM steps WHERE what = 'text'")).toEqual([])
    })

    test('20 runs init files as the server’s user', async () => {
      expect(await container.run('cat', '/tmp/init-uid')).toBe(await container.run('stat', '-c', '%u', pgdata))
    })

    test('21 listens to nobody outside while it initialises', async () => {
      expect(await inside("SELECT what FROM steps WHERE what LIKE 'listen:%'")).toEqual([['listen:']])
    })

    test('22 says that it is ready twice on a first start', async () => {
      expect((await container.log()).match(/ready to accept connections/g)).toHaveLength(2)
    })

    test('23 hands every file to an unprivileged user', () => {
      const uid = statSync(data).uid
      expect(uid).toBeGreaterThan(0)
      expect(
        readdirSync(data, { recursive: true })
          .map((file) => statSync(path.join(data, String(file))).uid)
          .filter((id) => id !== uid),
      ).toEqual([])
    })

    test('24 makes the server the first process', async () => {
      expect(await container.run('cat', '/proc/1/comm')).toBe('postgres')
    })

    test('25 names SIGINT as its stop signal and ends in order', async () => {
      expect((await container.inspect()).Config).toMatchObject({ StopSignal: 'SIGINT' })
      expect(await container.stop()).toBe(0)
      expect((await container.log()).trimEnd()).toMatch(/database system is shut down$/)
    })

    test('26 says that it is ready once on a later start', async () => {
      await container.restart()
      await container.ready(login)
      expect((await container.log()).match(/ready to accept connections/g)).toHaveLength(3)
      await container.stop()
    })

    test('27 ignores every variable on existing data', async () => {
      await using other = await Container.start({
        Env: ['POSTGRES_USER=alice', 'POSTGRES_PASSWORD=new', 'POSTGRES_DB=late'],
        HostConfig: {
          Binds: [`${data}:${volume}`],
          PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
        },
      })
      await other.ready(login)
      await expect(other.query('SELECT 1', { user: 'alice', password: 'new' })).rejects.toMatchObject({ code: '28P01' })
      expect(await other.query("SELECT 1 FROM pg_database WHERE datname = 'late'", login)).toEqual([])
      await other.stop()
    })

    test('28 leaves the data of another major version alone', async () => {
      const file = path.join(data, path.posix.relative(volume, pgdata), 'PG_VERSION')
      writeFileSync(file, '9.6\n')
      const { code, log } = await runToEnd({ HostConfig: { Binds: [`${data}:${volume}`] } })
      expect(code).toBe(1)
      expect(log).toContain('incompatible')
      expect(readFileSync(file, 'utf8')).toBe('9.6\n')
    })
  })

  describe('a first start with flags', () => {
    let container: Container
    const login = { user: 'bob' }
    beforeAll(async () => {
      container = await Container.start({
        Cmd: ['-c', 'log_line_prefix=a b ', '-c', 'password_encryption=md5'],
        Env: [
          'POSTGRES_USER=bob',
          'POSTGRES_PASSWORD=secret',
          'POSTGRES_INITDB_WALDIR=/var/lib/postgresql/wal',
          'PGDATA=/var/lib/postgresql/elsewhere',
        ],
      })
      await container.ready(login)
    })
    afterAll(() => container[Symbol.asyncDispose]())

    test('29 takes a first argument with a dash as the server’s flags, blanks kept', async () => {
      expect(await container.query('SHOW log_line_prefix', login)).toEqual([['a b ']])
    })

    test('30 names the database after the role', async () => {
      expect(await container.query('SELECT current_database()', { ...login, database: 'bob' })).toEqual([['bob']])
    })

    test('31 puts the write-ahead log where it was told', async () => {
      expect(await container.run('readlink', '/var/lib/postgresql/elsewhere/pg_wal')).toBe('/var/lib/postgresql/wal')
    })

    test('32 puts the data where it was told', async () => {
      expect(await container.query('SHOW data_directory', login)).toEqual([['/var/lib/postgresql/elsewhere']])
    })

    test('33 lets the method of the last pg_hba line follow password_encryption', async () => {
      expect(await container.run('tail', '-n', '1', '/var/lib/postgresql/elsewhere/pg_hba.conf')).toBe(
        'host all all all md5',
      )
    })
  })

  test('34 serves hardened, under a number that no file of the image names', async () => {
    const data = path.join(folder, 'numbered')
    mkdirSync(data, { mode: 0o700 })
    const own = process.getuid?.() === 0 ? 12_345 : (process.getuid?.() ?? 12_345)
    if (process.getuid?.() === 0) chownSync(data, own, own)
    await using container = await Container.start({
      User: `${own}:${own}`,
      Env: ['POSTGRES_HOST_AUTH_METHOD=trust'],
      HostConfig: {
        PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
        Binds: [`${data}:${volume}`],
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': 'mode=1777', '/var/run/postgresql': 'mode=1777' },
        PidsLimit: 256,
        Memory: 512 * 2 ** 20,
      },
    })
    // No password was given: the method `trust` lifts that duty.
    await container.ready({ password: '' })
    expect(statSync(path.join(data, path.posix.relative(volume, pgdata), 'PG_VERSION')).uid).toBe(own)
  })

  test('35 ends when an init file fails, and then takes the half-made folder for a whole one', async () => {
    put('broken/1.sql', 'CREATE TABLE half (); SELECT 1/0;')
    put('broken/2.sql', 'CREATE TABLE never ();')
    await using container = await Container.start({
      Env: ['POSTGRES_PASSWORD=secret'],
      HostConfig: {
        Binds: [`${folder}/broken:/docker-entrypoint-initdb.d:ro`],
        PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
      },
    })
    expect(await container.exit()).not.toBe(0)
    await container.restart()
    await container.ready()
    expect(await container.query("SELECT relname FROM pg_class WHERE relname IN ('half', 'never')")).toEqual([['half']])
  })
})
