import { expect, test } from 'vitest'

import { createTasks, defineJob, unchecked } from '../index.ts'
import { testDriver } from '../testing/index.ts'

const job = defineJob({ name: 'job', schema: unchecked<{ fail: boolean }>(), attempts: 1 })

/** Tasks whose resources note what happens to them. */
function setUp(broken?: { open?: string; close?: string }) {
  const log: string[] = []
  const errors: string[] = []
  const resource = (name: string) => ({
    open: () => {
      if (broken?.open === name) throw new Error(`cannot open ${name}`)
      log.push(`open ${name}`)
      return name
    },
    close: (value: string) => {
      log.push(`close ${value}`)
      if (broken?.close === name) throw new Error(`cannot close ${name}`)
    },
  })
  const tasks = createTasks({
    driver: testDriver(),
    resources: { first: resource('first'), second: resource('second') },
    onError: (error) => errors.push(error.message),
  })
  tasks.worker([
    tasks.handle(job, ({ fail }, { resources }) => {
      log.push(`run with ${resources.first} and ${resources.second}`)
      if (fail) throw new Error('the job failed')
    }),
  ])
  return { tasks, log, errors }
}

test('opens in order and closes in reverse', async () => {
  const { tasks, log } = setUp()
  await tasks.enqueue(job, { fail: false })
  expect(log).toEqual(['open first', 'open second', 'run with first and second', 'close second', 'close first'])
})

test('closes each once after a failure, and a failing close does not hide the reason', async () => {
  const { tasks, log, errors } = setUp({ close: 'second' })
  await expect(tasks.enqueue(job, { fail: true })).rejects.toThrow('the job failed')
  expect(log.slice(-2)).toEqual(['close second', 'close first'])
  expect(errors).toEqual(['cannot close second'])
})

test('closes what was open when a later one cannot be opened', async () => {
  const { tasks, log } = setUp({ open: 'second' })
  await expect(tasks.enqueue(job, { fail: false })).rejects.toThrow('cannot open second')
  expect(log).toEqual(['open first', 'close first'])
})
