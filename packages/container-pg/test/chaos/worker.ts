import { createInterface } from 'node:readline'

import { Client } from 'pg'

import { createProvisioner, ContainerPgError } from '../../src/index.ts'

// A service of its own, to be killed. `live`: makes a server, writes rows and says which were acknowledged, stops, starts, removes,
// for ever. `race`: makes the server that each line names, and says how that went.
const [mode = '', storageRoot = '', image = '', name = '', adminPassword = '', labels = '{}'] = process.argv.slice(2)
const provisioner = await createProvisioner({
  storageRoot,
  image,
  labels: JSON.parse(labels) as Record<string, string>,
})
const say = (word: string, value: unknown = '') => process.stdout.write(`${word} ${String(value)}\n`)

async function live(): Promise<never> {
  for (let last = 0; ;) {
    const server = await provisioner.create({ name, adminPassword })
    say('created')
    const client = new Client({ ...server.connection, password: adminPassword })
    await client.connect()
    await client.query('CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY)')
    for (const until = last + 30; last < until;) {
      await client.query('INSERT INTO written VALUES ($1)', [last + 1])
      last += 1
      say('acknowledged', last)
    }
    await client.end()
    await provisioner.stop(name)
    await provisioner.start(name)
    await provisioner.remove(name, { keepData: true })
  }
}

async function race(): Promise<void> {
  say('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    const [mine = '', storageDir = ''] = line.split(' ')
    const begun = performance.now()
    const outcome = await provisioner.create({ name: mine, adminPassword, storageDir }).then(
      () => 'OK',
      (error: unknown) => (error instanceof ContainerPgError ? error.code : String(error)),
    )
    say(outcome, Math.round(performance.now() - begun))
  }
}

await (mode === 'race' ? race() : live())
