import type { Kysely } from 'kysely'
import { expectTypeOf, test } from 'vitest'

import { createNativeAuth, profileFields } from './index.ts'

declare const db: Kysely<{ orders: { id: number } }>
const secret = 'a secret of at least thirty-two characters'

test('the profile of an account follows from the declared fields', () => {
  const auth = createNativeAuth({
    db,
    secret,
    profile: profileFields({ fullname: { label: 'Full name', required: true }, city: { label: 'City' } }),
  })
  type Account = NonNullable<Awaited<ReturnType<typeof auth.accounts.get>>>
  expectTypeOf<Account['profile']['fullname']>().toEqualTypeOf<string>()
  expectTypeOf<Account['profile']['city']>().toEqualTypeOf<string | undefined>()
})

test('without a profile there is none, and any database type is taken', () => {
  const auth = createNativeAuth({ db, secret })
  type Session = NonNullable<Awaited<ReturnType<typeof auth.sessions.fromRequest>>>
  expectTypeOf<Session['account']['profile']>().toEqualTypeOf<Record<string, never>>()
  // @ts-expect-error -- there is no such policy
  createNativeAuth({ db, secret, secondFactor: 'sometimes' })
})
