import type { DatabasePool, TestDatabase } from '@org/container-pg/testing'

import { openApiDocument } from '../../src/openapi/document.ts'
import { compile } from '../contract/compile.ts'
import { contractHooks } from '../contract/hooks.ts'
import type { Transaction } from '../contract/transaction.ts'
import { api, openPool, openWorld, type World } from '../support/world.ts'

/** A transaction as Dredd hands it to hooks. */
interface DreddTransaction {
  readonly name: string
  readonly request: { uri: string; body: string; headers: Record<string, string> }
  host: string
  port: string
  fullPath: string
  skip: boolean
  fail?: string
}

/** Lets the contract's own hooks prepare Dredd's requests, each on a database and a service of its own. */
export async function createBridge(postgresUrl: string) {
  const pool: DatabasePool = await openPool(postgresUrl, 'people')
  const { operations, registry } = api()
  const known = new Map<string, Transaction>(
    compile(openApiDocument(operations, registry)).map((transaction) => [transaction.name, transaction]),
  )
  const hooks = contractHooks()
  let current: { readonly world: World; readonly database: TestDatabase; readonly transaction: Transaction } | undefined

  return {
    async beforeEach(given: DreddTransaction): Promise<void> {
      const transaction = known.get(given.name)
      if (transaction === undefined) {
        given.fail = `Expected a transaction of the contract, got ${given.name}`
        return
      }
      const database = await pool.acquire()
      const world = await openWorld(database.url)
      current = { world, database, transaction }
      await hooks.run('beforeEach', transaction, world)
      await hooks.run('before', transaction, world)
      const { request } = transaction
      const { hostname, port } = new URL(world.url)
      given.host = hostname
      given.port = port
      given.fullPath = request.query === '' ? request.path : `${request.path}?${request.query}`
      given.request.uri = given.fullPath
      if (request.as !== undefined) given.request.headers['Authorization'] = `Bearer ${await world.tokenOf(request.as)}`
      if (request.body !== undefined) given.request.body = JSON.stringify(request.body)
    },
    async afterEach(): Promise<void> {
      if (current === undefined) return
      const { world, database, transaction } = current
      current = undefined
      await hooks.run('after', transaction, world)
      await hooks.run('afterEach', transaction, world)
      await world[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
    close: () => pool[Symbol.asyncDispose](),
  }
}
