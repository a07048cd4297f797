import { databasePool } from '../../src/testing/index.ts'

// A program of its own, to be killed: takes a database, tells its name and waits.
const pool = await databasePool({ url: process.argv[2] ?? '', migrate: () => Promise.resolve() })
const { name } = await pool.acquire()
console.log(name)
setInterval(() => {}, 1000)
