import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openApiDocument } from '../src/openapi/document.ts'
import { compile, operationsOf } from './contract/compile.ts'
import { contractHooks } from './contract/hooks.ts'
import { createValidator } from './contract/validate.ts'
import { usePool } from './support/use-pool.ts'
import { api } from './support/world.ts'

const worlds = usePool('people')
const { operations, registry } = api()
const document = openApiDocument(operations, registry)
const described = new Map(operationsOf(document).map(({ operation }) => [operation.operationId, operation]))
const transactions = compile(document)
const validator = createValidator(document)
const hooks = contractHooks()
const covered = new Set<string>()

beforeAll(() => hooks.run('beforeAll'))
afterAll(() => hooks.run('afterAll'))

describe.concurrent('each operation answers as described', { timeout: 60_000 }, () => {
  test.each(transactions.map((transaction) => [transaction.name, transaction] as const))(
    '%s',
    async (_, transaction) => {
      // One attempt is one too many only where somebody counts.
      const settings = transaction.status === 429 ? { limits: { loginsPerMinute: 1, signUpsPerHour: 1 } } : {}
      await using world = await worlds.open(undefined, settings)
      await hooks.run('beforeEach', transaction, world)
      await hooks.run('before', transaction, world)
      if (transaction.skip !== undefined) return
      const { path, query, as, headers, body } = transaction.request
      const answer = await world.request(transaction.method, query === '' ? path : `${path}?${query}`, {
        as,
        headers,
        body,
      })
      await hooks.run('beforeEachValidation', transaction, world)
      await hooks.run('beforeValidation', transaction, world)
      const wrong = validator(described.get(transaction.operationId)!, answer.status, answer)
      expect({ status: answer.status, wrong, text: answer.status === transaction.status ? '' : answer.text }).toEqual({
        status: transaction.status,
        wrong: [],
        text: '',
      })
      expect(world.trouble).toEqual([])
      covered.add(`${transaction.operationId} ${answer.status}`)
      await hooks.run('after', transaction, world)
      await hooks.run('afterEach', transaction, world)
    },
  )
})

describe('the run as a whole', () => {
  test('covers each operation and each documented status', () => {
    const documented = operationsOf(document).flatMap(({ operation }) =>
      Object.keys(operation.responses)
        .filter((status) => status !== 'default')
        .map((status) => `${operation.operationId} ${status}`),
    )
    expect(documented.filter((name) => !covered.has(name))).toEqual([])
    expect(covered.size).toBeGreaterThanOrEqual(200)
  })

  test('uses each hook', () => {
    expect(hooks.unused()).toEqual([])
  })

  test('notices an undocumented status and an undocumented property', () => {
    const operation = described.get('listEvents')!
    const headers = new Headers({ 'content-type': 'application/vnd.api+json', etag: '"x"' })
    const answer = {
      headers,
      text: '',
      json: { jsonapi: { version: '1.1' }, links: {}, meta: { count: 0 }, data: [], more: 1 },
    }
    expect(validator(operation, 418, { ...answer, status: 418 })).toEqual(['status 418 is not documented'])
    expect(validator(operation, 200, { ...answer, status: 200 })).toEqual([
      expect.stringContaining('"additionalProperty":"more"'),
    ])
  })
})

test('names are Dredd’s and unique', () => {
  const names = transactions.map(({ name }) => name)
  expect(names).toContain('Events > Events Collection > List All Events')
  expect(new Set(names).size).toBe(names.length)
})

test('the description is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>)
  expect(result).toMatchObject({ valid: true })
})
