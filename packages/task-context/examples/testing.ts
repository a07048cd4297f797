import { createTasks, defineJob, unchecked } from '@org/task-context'
import { testDriver } from '@org/task-context/testing'

const driver = testDriver()
const tasks = createTasks({ driver })
const greet = defineJob({ name: 'greet', schema: unchecked<{ name: string }>() })
tasks.worker([tasks.handle(greet, ({ name }, { actor }) => console.log(`${actor} greets ${name}`))])

// Runs in place, in a scope of its own, after a round trip through JSON.
await tasks.runInContext({ actor: 'user:1' }, () => tasks.enqueue(greet, { name: 'Ada' }))
console.log(driver.payloads(greet), driver.jobs[0]?.state)
