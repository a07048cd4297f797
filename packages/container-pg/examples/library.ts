// examples/library.ts
import { createProvisioner } from '@org/container-pg'
import { Client } from 'pg'

const provisioner = await createProvisioner({
  storageRoot: process.env['CONTAINER_PG_ROOT'] ?? '/srv/postgres',
  image: process.env['CONTAINER_PG_IMAGE'] ?? 'postgres:17',
})
const adminPassword = 'correct horse battery staple'
const server = await provisioner.create({ name: 'alice', adminPassword, databases: ['shop'] })

const client = new Client({ ...server.connection, database: 'shop', password: adminPassword })
await client.connect()
console.log((await client.query('SELECT current_user, current_database()')).rows)
await client.end()

await provisioner.remove('alice', { keepData: true })
