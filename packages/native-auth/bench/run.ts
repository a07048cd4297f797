import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'

import { sql } from 'kysely'

import { argon2Hasher, createNativeAuth } from '../src/index.ts'
import { isCommon } from '../src/passwords/common.ts'
import type { AuthDb } from '../src/store/tables.ts'
import { openBetterAuth } from './better-auth.ts'
import { auc, interleave, loopDelays, pool, quantile, report } from './measure.ts'
import { type BenchSite, openBench } from './site.ts'

const hasher = argon2Hasher()
const PASSWORD = 'staple battery 3'
const stored = await hasher.hash(PASSWORD)
const ratio = (value: number) => `${value.toFixed(2)} ×`
const percent = (value: number) => `${(value * 100).toFixed(1)} %`

/** Accounts that share one hash, so that setting up costs nothing. */
async function fill(site: BenchSite, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const rows = Array.from({ length: Math.min(500, count - from) }, (_, index) => {
      const name = `user-${from + index}`
      return sql`(${name}, ${name}, ${stored}, '{}', 1, 0, 0, 0, 0, 0)`
    })
    await sql`insert into native_auth_accounts (username, display_name, password_hash, profile, is_authorised, is_admin, is_blocked, has_totp, created_at, password_changed_at) values ${sql.join(rows)}`.execute(
      site.db,
    )
  }
}

async function passwords(site: BenchSite, database: string, goal: number): Promise<void> {
  const login = (index: number, password = PASSWORD) =>
    site.post('/login', { username: `user-${index % 100}`, password })
  for (const width of [1, 3]) {
    const count = 6
    const [raw = 0, ours = 0] = await interleave([
      { name: 'raw', run: () => pool(count, width, () => hasher.verify(stored, PASSWORD)) },
      { name: 'login', run: () => pool(count, width, (index) => login(index)) },
    ])
    report(
      'P1',
      `logins/s, ${database}, ${width} at once, against raw verify`,
      ratio(raw / ours),
      `≥ ${goal}`,
      raw / ours >= goal,
    )
  }
  const [raw = 0, known = 0, unknown = 0] = await interleave([
    { name: 'raw', run: () => pool(6, 1, () => hasher.verify(stored, 'wrong')) },
    { name: 'known', run: () => pool(6, 1, (index) => login(index, 'wrong')) },
    { name: 'unknown', run: () => pool(6, 1, () => site.post('/login', { username: 'nobody', password: 'wrong' })) },
  ])
  report(
    'P2',
    `refused logins/s, ${database}, known, against raw verify`,
    ratio(raw / known),
    '≥ 0.90',
    raw / known >= 0.9,
  )
  report(
    'P2',
    `refused logins/s, ${database}, unknown, against raw verify`,
    ratio(raw / unknown),
    '≥ 0.90',
    raw / unknown >= 0.9,
  )
  const apart = Math.abs(known / unknown - 1)
  report('P2', `known and unknown apart, ${database}`, percent(apart), '≤ 5 %', apart <= 0.05)
  let serial = 0
  const [hash = 0, register = 0] = await interleave([
    { name: 'raw', run: () => pool(6, 1, () => hasher.hash(PASSWORD)) },
    {
      name: 'register',
      run: () =>
        pool(6, 1, () => {
          serial += 1
          return site.post('/users/register', { username: `new-${database}-${serial}`, password: PASSWORD })
        }),
    },
  ])
  report(
    'P3',
    `registrations/s, ${database}, against raw hash`,
    ratio(hash / register),
    '≥ 0.85',
    hash / register >= 0.85,
  )
  let flip = 0
  const sentences = [PASSWORD, 'another sentence 4']
  let { session } = await site.auth.authenticate({ username: 'user-99', password: PASSWORD })
  const [both = 0, change = 0] = await interleave([
    { name: 'raw', run: () => pool(4, 1, async () => hasher.verify(await hasher.hash(PASSWORD), PASSWORD)) },
    {
      name: 'change',
      run: () =>
        pool(4, 1, async () => {
          const current = sentences[flip % 2] ?? ''
          const next = sentences[(flip + 1) % 2] ?? ''
          flip += 1
          ;({ session } = await site.auth.passwords.change(session, { current, next }))
        }),
    },
  ])
  report(
    'P3',
    `password changes/s, ${database}, against verify + hash`,
    ratio(both / change),
    '≥ 0.85',
    both / change >= 0.85,
  )
}

async function sessionChecks(site: BenchSite): Promise<void> {
  const { driver, auth } = site
  const tables = site.db as unknown as AuthDb
  if (driver === undefined) return
  const insert = driver.prepare(
    'insert into native_auth_sessions (token_hash, id, account_id, created_at, used_at) values (?, ?, ?, ?, ?)',
  )
  const tokens = Array.from({ length: 50_000 }, () =>
    createHash('sha256').update(crypto.randomUUID()).digest('base64url'),
  )
  driver.transaction(() => {
    const now = Date.now()
    for (const [index, token] of tokens.entries()) {
      insert.run(createHash('sha256').update(token).digest('base64url'), `s${index}`, (index % 100) + 1, now, now)
    }
  })()
  const prepared = driver.prepare(
    'select a.*, s.id as session_id from native_auth_sessions s join native_auth_accounts a on a.id = s.account_id where s.token_hash = ?',
  )
  const hash = (token: string) => createHash('sha256').update(token).digest('base64url')
  const pick = (index: number) => tokens[(index * 7919) % tokens.length] ?? ''
  const request = (token: string) => new Request('http://127.0.0.1/', { headers: { authorization: `Bearer ${token}` } })
  const many = (run: (token: string) => unknown) => async () => {
    for (let index = 0; index < 2000; index += 1) await run(pick(index))
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'native-auth-peer-'))
  const peer = await openBetterAuth(path.join(folder, 'peer.sqlite'))
  const headers = (token: string) => ({ headers: new Headers({ cookie: `__Host-native-auth-session=${token}` }) })
  site.statements.length = 0
  await auth.sessions.verify(pick(1))
  report('P4', 'statements a session check, SQLite', String(site.statements.length), '1', site.statements.length === 1)
  const [plain = 0, bare = 0, ours = 0, whole = 0, cookie = 0, better = 0] = await interleave([
    {
      name: 'kysely',
      run: many((token) =>
        tables
          .selectFrom('native_auth_sessions as s')
          .innerJoin('native_auth_accounts as a', 'a.id', 's.account_id')
          .selectAll('a')
          .select('s.id as session_id')
          .where('s.token_hash', '=', hash(token))
          .executeTakeFirst(),
      ),
    },
    { name: 'prepared', run: many((token) => prepared.get(hash(token))) },
    { name: 'verify', run: many((token) => auth.sessions.verify(token)) },
    { name: 'fromRequest', run: many((token) => auth.sessions.fromRequest(request(token))) },
    { name: 'cookie', run: many((token) => auth.sessions.fromRequest(headers(token))) },
    { name: 'better-auth', run: many(() => peer()) },
  ])
  report('P4', 'session check against a plain Kysely join, SQLite', ratio(ours / plain), '≤ 1.5', ours / plain <= 1.5)
  report('P4', 'session check against a prepared statement, SQLite', ratio(ours / bare), '≤ 3', ours / bare <= 3)
  report('P4', 'the same, with reading a Request', ratio(whole / plain), '(no goal)', true)
  report(
    'P4',
    'better-auth getSession against ours, both by cookie',
    ratio(better / cookie),
    '≥ 3',
    better / cookie >= 3,
  )
  rmSync(folder, { recursive: true, force: true })
}

async function sessionChecksOnPostgres(site: BenchSite): Promise<void> {
  const { token } = await site.auth.sessions.create('user-1')
  const hash = createHash('sha256').update(token).digest('base64url')
  const many = (run: () => Promise<unknown>) => async () => {
    for (let index = 0; index < 200; index += 1) await run()
  }
  const [bare = 0, ours = 0] = await interleave([
    {
      name: 'select',
      run: many(() => sql`select account_id from native_auth_sessions where token_hash = ${hash}`.execute(site.db)),
    },
    { name: 'verify', run: many(() => site.auth.sessions.verify(token)) },
  ])
  report('P5', 'session check against a bare indexed select, Postgres', ratio(ours / bare), '≤ 1.3', ours / bare <= 1.3)
}

async function underLoad(site: BenchSite): Promise<void> {
  const login = () => site.post('/login', { username: 'user-1', password: PASSWORD })
  const logins = () => pool(32, 32, login)
  const raw = () => pool(32, 3, () => hasher.verify(stored, PASSWORD))
  await logins()
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < 3; round += 1) {
    theirs.push(...(await loopDelays(raw)))
    ours.push(...(await loopDelays(logins)))
  }
  const late = quantile(ours, 0.99) / Math.max(1, quantile(theirs, 0.99))
  report('P6', 'loop delay p99 under 32 logins against raw verifies', ratio(late), '≤ 1.5', late <= 1.5)
  const [one = 0] = await interleave([{ name: 'one', run: () => hasher.verify(stored, PASSWORD) }])
  const gap = Math.max(...ours) / one
  report('P6', 'longest gap of the loop, in hashes', ratio(gap), '< 0.5', gap < 0.5)

  const { token } = await site.auth.sessions.create('user-1')
  const sample = async (run: () => Promise<unknown>, during: () => Promise<unknown>) => {
    const times: number[] = []
    let over = false
    const load = during().then(() => (over = true))
    while (!over && times.length < 5000) {
      const began = performance.now()
      await run()
      times.push(performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await load
    return times
  }
  const idle = () => new Promise((resolve) => setTimeout(resolve, 400))
  const check = () => site.auth.sessions.verify(token)
  const quiet = quantile(await sample(check, idle), 0.99)
  const busy = quantile(await sample(check, logins), 0.99)
  report('P7', 'session check p99 under 32 logins against idle', ratio(busy / quiet), '≤ 5', busy / quiet <= 5)
  const file = () => stat('/')
  const fileBusy = quantile(await sample(file, logins), 0.99) / one
  report('P7', 'file call p99 under 32 logins, in hashes', ratio(fileBusy), '< 1', fileBusy < 1)

  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)
  const refused: number[] = []
  let retry = 0
  await pool(300, 300, async () => {
    const began = performance.now()
    const response = await login()
    if (response.status !== 503) return
    refused.push(performance.now() - began)
    if (response.headers.has('retry-after')) retry += 1
  })
  clearInterval(watch)
  const growth = (peak - before) / 2 ** 20
  report('P8', '300 logins at once: refused with Retry-After', `${retry} of ${refused.length}`, '= 233', retry === 233)
  report('P8', 'slowest refusal', `${Math.max(...refused).toFixed(0)} ms`, '≤ 50 ms', Math.max(...refused) <= 50)
  report('P8', 'memory growth', `${growth.toFixed(0)} MiB`, '≤ 121 MiB', growth <= 121)
  report('P8', 'a login afterwards', String((await login()).status), '200', (await login()).status === 200)
}

async function enumeration(site: BenchSite): Promise<void> {
  const [known, unknown]: [number[], number[]] = [[], []]
  for (let index = 0; index < 200; index += 1) {
    for (const [name, times] of index % 2 === 0
      ? ([
          ['user-5', known],
          ['nobody', unknown],
        ] as const)
      : ([
          ['nobody', unknown],
          ['user-5', known],
        ] as const)) {
      const began = performance.now()
      await site.post('/login', { username: name, password: 'wrong' })
      times.push(performance.now() - began)
    }
  }
  const apart = Math.abs(quantile(known, 0.5) - quantile(unknown, 0.5))
  const limit = Math.max(2, quantile(known, 0.5) * 0.05)
  report(
    'P9',
    'known and unknown, medians apart (200 each)',
    `${apart.toFixed(2)} ms`,
    `≤ ${limit.toFixed(1)} ms`,
    apart <= limit,
  )
  const rank = auc(known, unknown)
  report('P9', 'known and unknown, area under the curve', rank.toFixed(3), '0.45–0.55', rank >= 0.45 && rank <= 0.55)
}

async function statements(site: BenchSite): Promise<void> {
  // With the limits on, as services have them.
  const limited = createNativeAuth({ db: site.db, secret: 'a secret of at least thirty-two characters' })
  const count = async (password: string) => {
    site.statements.length = 0
    const body = JSON.stringify({ username: 'user-7', password })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    await limited.handler(new Request('http://127.0.0.1/auth/login', init), { clientIp: '192.0.2.1' })
    return site.statements.filter((text) => text.includes('native_auth_throttle')).length
  }
  await count('wrong')
  const failed = await count('wrong')
  const passed = await count(PASSWORD)
  report('P11', 'statements on limits, a refused login', String(failed), '≤ 2', failed <= 2)
  report('P11', 'statements on limits, a login', String(passed), '≤ 2', passed <= 2)
}

async function lists(site: BenchSite): Promise<void> {
  site.statements.length = 0
  await site.auth.accounts.list({})
  report(
    'P10',
    'statements of a page of 10,000 accounts',
    String(site.statements.length),
    '≤ 2',
    site.statements.length <= 2,
  )
  const [page = 0] = await interleave([{ name: 'page', run: () => site.auth.accounts.list({}) }])
  report('P10', 'first page of 10,000 accounts', `${page.toFixed(1)} ms`, '≤ 30 ms', page <= 30)
}

async function coldStart(): Promise<void> {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  await isCommon('first')
  globalThis.gc?.()
  const heap = (process.memoryUsage().heapUsed - before) / 2 ** 20 / 4.92
  report('P12', 'heap of the common list, 10,000 words', `${heap.toFixed(2)} MiB`, '≤ 4 MiB', heap <= 4)
  const [lookups = 0] = await interleave([
    {
      name: 'lookup',
      run: async () => {
        for (let index = 0; index < 1000; index += 1) await isCommon(`staple battery ${index}`)
      },
    },
  ])
  report(
    'P12',
    'one look into the common list, with its variations',
    `${lookups.toFixed(1)} µs`,
    '≤ 5 µs',
    lookups <= 5,
  )
  const entry = path.join(import.meta.dirname, '../dist/index.js')
  const code = `const b = performance.now(); await import(${JSON.stringify(entry)}); console.log(performance.now() - b)`
  const times = Array.from({ length: 5 }, () => {
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    return Number(child.stdout)
  })
  const cold = quantile(times, 0.5)
  report('P12', 'import of the built package', `${cold.toFixed(0)} ms`, '≤ 100 ms', cold <= 100)
}

{
  await coldStart()
  await using site = await openBench(undefined, hasher)
  await fill(site, 10_000)
  await passwords(site, 'SQLite', 0.9)
  await sessionChecks(site)
  await underLoad(site)
  await enumeration(site)
  await lists(site)
  await statements(site)
}
const url = process.env['DATABASE_URL']
if (url === undefined) {
  process.stdout.write('P5   left out: set DATABASE_URL to a Postgres server\n')
} else {
  await using site = await openBench(url, hasher)
  await fill(site, 200)
  await passwords(site, 'Postgres', 0.85)
  await sessionChecksOnPostgres(site)
}
