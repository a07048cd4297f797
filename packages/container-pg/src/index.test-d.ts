import type { ClientConfig } from 'pg'
import { expectTypeOf, test } from 'vitest'

import type { ContainerPgError, ContainerPgErrorCode, Provisioner, Server, ServerSpec } from './index.ts'

test('a server completes to settings for pg by adding the password', () => {
  expectTypeOf<Server['connection'] & { password: string }>().toExtend<ClientConfig>()
})

test('a removal must say what becomes of the data', () => {
  expectTypeOf<Parameters<Provisioner['remove']>>().toEqualTypeOf<
    [name: string, options: { readonly keepData: boolean }]
  >()
})

test('a server needs a name and a password, nothing else', () => {
  expectTypeOf<{ name: string; adminPassword: string }>().toExtend<ServerSpec>()
  expectTypeOf<{ name: string }>().not.toExtend<ServerSpec>()
})

test('codes are a closed list', () => {
  expectTypeOf<ContainerPgError['code']>().toEqualTypeOf<ContainerPgErrorCode>()
  expectTypeOf<'SOMETHING'>().not.toExtend<ContainerPgErrorCode>()
})
