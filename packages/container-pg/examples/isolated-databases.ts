// examples/isolated-databases.ts
import { databasePool } from '@org/container-pg/testing'
import { Client } from 'pg'

async function run(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

await using pool = await databasePool({
  url: process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  migrate: async (url) => void (await run(url, 'CREATE TABLE item (id int)')),
  seed: async (url) => void (await run(url, 'INSERT INTO item VALUES (1)')),
})
await using database = await pool.acquire()
console.log(await run(database.url, 'TABLE item'))
