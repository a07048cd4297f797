import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { bind, createTasks, tryContext } from '../src/index.ts'
import { memoryDriver } from '../src/memory.ts'
import { openWorld, type World } from './support/world.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const tasks = createTasks({ driver: memoryDriver() })
const here = () => tryContext()?.requestId

test('a pool whose connections are all in use calls back in the context of nobody, unless bound', async () => {
  const pool = new pg.Pool({ connectionString: world.url, max: 1 })
  pool.on('error', () => {})
  const held = await pool.connect()
  const ask = (tie: (done: () => void) => () => void) =>
    new Promise<string | undefined>((resolve) =>
      pool.query(
        'select 1',
        tie(() => resolve(here())),
      ),
    )
  const answers = tasks.runInContext({ requestId: 'A' }, () => [
    ask((done) => done),
    ask(bind),
    pool.query('select 1').then(here),
  ])
  held.release()
  expect(await Promise.all(answers)).toEqual([undefined, 'A', 'A'])
  await pool.end()
})
