// examples/embedded.ts
import { startEmbeddedPostgres } from '@org/container-pg/embedded'
import { Client } from 'pg'

await using postgres = await startEmbeddedPostgres({ dataDir: process.env['DATA_DIR'] ?? '.data/postgres' })
const client = new Client({ connectionString: postgres.url })
await client.connect()
console.log((await client.query('SELECT 6 * 7 AS answer')).rows)
await client.end()
