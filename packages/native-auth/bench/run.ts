import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { sql } from 'kysely'

import { createNativeAuth } from '../src/index.ts'
import { isCommon } from '../src/passwords/common.ts'
import { hasher, PASSWORD, stored } from './fixture.ts'
import { enumeration, underLoad } from './load.ts'
import { interleave, quantile, report } from './measure.ts'
import { passwords } from './passwords.ts'
import { sessionChecks, sessionChecksOnPostgres } from './sessions.ts'
import { openPostgres } from './postgres.ts'
import { type BenchSite, openBench } from './site.ts'

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
  // Kysely is the caller's own: whoever uses this package has loaded it.
  const code = `await import('kysely'); const b = performance.now(); await import(${JSON.stringify(entry)}); console.log(performance.now() - b)`
  const times = Array.from({ length: 5 }, () => {
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    })
    return Number(child.stdout)
  })
  const cold = quantile(times, 0.5)
  report('P12', 'import of the built package, beside kysely', `${cold.toFixed(0)} ms`, '≤ 100 ms', cold <= 100)
}

const PARTS = ['start', 'passwords', 'sessions', 'load', 'enumeration', 'lists', 'postgres'] as const
// `pnpm bench load lists` measures these alone.
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
// What is compared with a peer, and so kept; the rest has goals of its own, which only a long run can tell.
const asked = values.quick ? ['passwords', 'sessions', 'postgres'] : positionals
const unknown = asked.filter((name) => !PARTS.some((part) => part === name))
if (unknown.length > 0) throw new Error(`Expected parts among ${PARTS.join(', ')}, got ${unknown.join(', ')}`)
const wants = (part: (typeof PARTS)[number]) => asked.length === 0 || asked.includes(part)

if (wants('start')) await coldStart()
if (asked.length === 0 || asked.some((part) => part !== 'start' && part !== 'postgres')) {
  await using site = await openBench(undefined, hasher)
  await fill(site, 10_000)
  if (wants('passwords')) await passwords(site, 'SQLite', 0.9)
  if (wants('sessions')) await sessionChecks(site)
  if (wants('load')) await underLoad(site)
  if (wants('enumeration')) await enumeration(site, 'SQLite')
  if (wants('lists')) {
    await lists(site)
    await statements(site)
  }
}
if (wants('postgres')) {
  await using postgres = await openPostgres()
  await using site = await openBench(postgres.url, hasher)
  await fill(site, 200)
  await passwords(site, 'Postgres', 0.85)
  await sessionChecksOnPostgres(site)
  if (!values.quick) await enumeration(site, 'Postgres')
}
