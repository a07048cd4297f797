import { databasePool } from '../../src/testing/index.ts'

// A program of its own, to be killed: takes a database, tells its name and waits. With a version it never gets so far: it tells the
// name of the template that it makes.
const [, , url = '', version] = process.argv
setInterval(() => {}, 1000)
const pool = await databasePool({
  url,
  ...(version === undefined ? {} : { version }),
  migrate: (draft) => {
    if (version === undefined) return Promise.resolve()
    console.log(new URL(draft).pathname.slice(1))
    return new Promise(() => {})
  },
})
const { name } = await pool.acquire()
console.log(name)
