import { expect, test } from 'vitest'

import { openApiDocument } from '../src/openapi/document.ts'
import { operationsOf, type Placed } from './contract/compile.ts'
import { createValidator } from './contract/validate.ts'
import { usePool } from './support/use-pool.ts'
import { api, type RequestOptions } from './support/world.ts'

const worlds = usePool('conference')
const { operations, registry } = api()
const document = openApiDocument(operations, registry)
const validator = createValidator(document)

const type = 'content-type'
const mediaTypeOf = ({ operation }: Placed) => Object.keys(operation.requestBody?.content ?? {})[0] ?? ''
const sent =
  (body: string) =>
  (placed: Placed): RequestOptions => ({ as: 'organiser', headers: { [type]: mediaTypeOf(placed) }, body })

const LARGE = JSON.stringify({ data: 'x'.repeat(600 * 1024) })
const LARGEST = JSON.stringify({ data: 'x'.repeat(2 * 1024 * 1024) })

/** What no client should send, made for each operation. */
const abuses: readonly (readonly [string, (placed: Placed) => RequestOptions])[] = [
  [
    'a page of another site',
    (placed) => ({ headers: { [type]: mediaTypeOf(placed), 'sec-fetch-site': 'cross-site' } }),
  ],
  ['another origin', (placed) => ({ headers: { [type]: mediaTypeOf(placed), origin: 'https://evil.example' } })],
  ['a session that is none', () => ({ headers: { authorization: 'Bearer none', cookie: 'native-auth-session=none' } })],
  ['no media type', () => ({ as: 'organiser', headers: { [type]: '' }, body: new Uint8Array([0x7b]) })],
  ['a compressed body', () => ({ as: 'organiser', headers: { 'content-encoding': 'gzip' }, body: '{}' })],
  ['half a document', sent('{"data":')],
  ['null', sent('null')],
  ['a list', sent('[]')],
  ['an empty object', sent('{}')],
  ['a text for data', sent('{"data":"x"}')],
  ['nothing', sent('')],
  ['NUL', sent('{"data":"\\u0000","username":"\\u0000","password":"\\u0000"}')],
  // An image may be larger than a document.
  ['a large document', (placed) => sent(placed.path.startsWith('/v1/upload/') ? LARGEST : LARGE)(placed)],
]

const readAbuses: readonly (readonly [string, RequestOptions])[] = [
  ['a range', { headers: { range: 'bytes=0-3' } }],
  [
    'conditions',
    { headers: { 'if-match': '"stale"', 'if-none-match': '*', 'if-modified-since': new Date(0).toUTCString() } },
  ],
  ['another media type', { headers: { accept: 'text/html' } }],
  ['a session that is none', { headers: { authorization: 'Bearer none' } }],
]

const placed = operationsOf(document).map((one) => [`${one.method.toUpperCase()} ${one.path}`, one] as const)

test('no abuse brings out a status or a form that the description does not name', { timeout: 300_000 }, async () => {
  await using world = await worlds.open()
  const wrong: unknown[] = []
  let requests = 0
  const send = async (name: string, one: Placed, id: string, what: string, options: RequestOptions) => {
    const answer = await world.request(one.method.toUpperCase(), one.path.replaceAll(/\{\w+\}/g, id), options)
    requests++
    const faults = validator(one.operation, answer.status, answer)
    if (faults.length > 0 || answer.status >= 500) wrong.push({ name, what, id, status: answer.status, faults })
  }
  for (const [name, one] of placed) {
    const tries: (readonly [string, RequestOptions])[] =
      one.method === 'get' ? [...readAbuses] : abuses.map(([what, make]) => [what, make(one)] as const)
    for (const [what, options] of tries) await send(name, one, '1', what, options)
    if (one.path.includes('{')) await send(name, one, '%00', ...tries[0]!)
  }
  expect(wrong).toEqual([])
  expect(requests).toBeGreaterThan(1000)
  expect(world.trouble).toEqual([])
})
