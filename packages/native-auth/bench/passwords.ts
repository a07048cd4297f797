import { peer } from '@org/bench'

import { CAP, hasher, PASSWORD, percent, stored } from './fixture.ts'
import { compare, interleave, pool, report } from './measure.ts'
import type { BenchSite } from './site.ts'

const named = (what: string) => {
  const { name, version } = peer('argon2', import.meta.url)
  return { name: `${what} of ${name}`, version }
}
const verify = named('verify')

/** P1 to P3: what logins, registrations and changes cost beside their hashes. */
export async function passwords(site: BenchSite, database: string, goal: number): Promise<void> {
  const login = (index: number, password = PASSWORD) =>
    site.post('/login', { username: `user-${index % 100}`, password })
  for (const width of [1, CAP]) {
    const count = 12
    const [raw = 0, ours = 0] = await interleave([
      { name: 'raw', run: () => pool(count, width, () => hasher.verify(stored, PASSWORD)) },
      { name: 'login', run: () => pool(count, width, (index) => login(index)) },
    ])
    compare('P1', `logins/s, ${database}, ${width} at once`, raw / ours, verify, { atLeast: goal })
  }
  const [raw = 0, known = 0, unknown = 0] = await interleave(
    [
      { name: 'raw', run: () => pool(6, 1, () => hasher.verify(stored, 'wrong')) },
      { name: 'known', run: () => pool(6, 1, (index) => login(index, 'wrong')) },
      { name: 'unknown', run: () => pool(6, 1, () => site.post('/login', { username: 'nobody', password: 'wrong' })) },
    ],
    15,
  )
  compare('P2', `refused logins/s, ${database}, name known`, raw / known, verify, { atLeast: 0.9 })
  compare('P2', `refused logins/s, ${database}, name unknown`, raw / unknown, verify, { atLeast: 0.9 })
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
  compare('P3', `registrations/s, ${database}`, hash / register, named('hash'), { atLeast: 0.85 })
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
  compare('P3', `password changes/s, ${database}`, both / change, named('verify and hash'), { atLeast: 0.85 })
}
