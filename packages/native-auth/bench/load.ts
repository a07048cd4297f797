import { stat } from 'node:fs/promises'

import { CAP, hasher, PASSWORD, ratio, stored } from './fixture.ts'
import { auc, interleave, loopDelays, pool, quantile, report } from './measure.ts'
import type { BenchSite } from './site.ts'

/** P6 to P8: the loop, other work and memory while many log in. */
export async function underLoad(site: BenchSite): Promise<void> {
  const login = () => site.post('/login', { username: 'user-1', password: PASSWORD })
  const logins = () => pool(32, 32, login)
  const raw = () => pool(32, CAP, () => hasher.verify(stored, PASSWORD))
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
  const idle = () => new Promise((resolve) => setTimeout(resolve, 1000))
  const check = () => site.auth.sessions.verify(token)
  await sample(check, idle)
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
  const over = 300 - 64 - CAP
  const told = `${retry} of ${refused.length}`
  report(
    'P8',
    '300 logins at once: refused with Retry-After',
    told,
    `= ${over}`,
    retry === over && refused.length === over,
  )
  report('P8', 'slowest refusal', `${Math.max(...refused).toFixed(0)} ms`, '≤ 50 ms', Math.max(...refused) <= 50)
  report('P8', 'memory growth', `${growth.toFixed(0)} MiB`, '≤ 121 MiB', growth <= 121)
  report('P8', 'a login afterwards', String((await login()).status), '200', (await login()).status === 200)
}

/** P9: whether the time taken tells if a name is known. */
export async function enumeration(site: BenchSite, database: string): Promise<void> {
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
    `known and unknown, ${database}, medians apart (200 each)`,
    `${apart.toFixed(2)} ms`,
    `≤ ${limit.toFixed(1)} ms`,
    apart <= limit,
  )
  const rank = auc(known, unknown)
  report(
    'P9',
    `known and unknown, ${database}, area under the curve`,
    rank.toFixed(3),
    '0.45–0.55',
    rank >= 0.45 && rank <= 0.55,
  )
}
