import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

import { peer } from '@org/bench'
import { freePort } from '@org/services'
import { PostgreSqlContainer } from '@testcontainers/postgresql'
import { Client } from 'pg'

import type { Provisioner } from '../src/index.ts'
import { interleaved, report, timed } from './stats.ts'

const run = promisify(execFile)
const PASSWORD = 'bench'
const POLL_MS = 20

// Its side container has an image of its own, which nobody here pulls.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true'

const byShell = 'docker run + pg_isready'
const byContainers = "testcontainers' PostgreSqlContainer"
const byUs = 'container-pg create'

type Labels = Readonly<Record<string, string>>

/** What a person would write in a shell: `docker run`, then `pg_isready` until it says yes, then the query. */
async function bare(folder: string, image: string, labels: Labels): Promise<{ ms: number; id: string }> {
  const port = await freePort()
  let id = ''
  const ms = await timed(async () => {
    const words = [
      'run',
      '-d',
      ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
      '-p',
      `127.0.0.1:${port}:5432`,
      '-v',
      `${folder}:/var/lib/postgresql/data`,
    ]
    id = (await run('docker', [...words, '-e', `POSTGRES_PASSWORD=${PASSWORD}`, image])).stdout.trim()
    for (;;) {
      const ready = await run('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(port)]).then(
        () => true,
        () => false,
      )
      if (ready) break
      await delay(POLL_MS)
    }
    await firstQuery(port)
  })
  return { ms, id }
}

async function firstQuery(port: number): Promise<void> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: PASSWORD, database: 'postgres' })
  await client.connect()
  await client.query('SELECT 1')
  await client.end()
}

/** Goal 1: from the call to the first accepted query, on a new folder and on an existing one. */
export async function benchReady(
  provisioner: Provisioner,
  root: string,
  image: string,
  labels: Labels,
  rounds: number,
): Promise<void> {
  const { stdout: version } = await run('docker', ['version', '--format', '{{.Server.Version}}'])
  const docker = { name: `${byShell}, engine`, version: version.trim() }
  const bareFolder = (round: number) => path.join(root, `bare-${round}`)
  const remove = (id: string) => execFileSync('docker', ['rm', '-fv', id], { stdio: 'ignore' })
  const stop = (id: string) => execFileSync('docker', ['stop', '-t', '30', id], { stdio: 'ignore' })
  const ours = (round: number) =>
    timed(async () => firstQuery((await provisioner.create({ name: `ours-${round}`, adminPassword: PASSWORD })).port))

  report(
    'New folder: call to first query',
    await interleaved(rounds, {
      async [byShell](round) {
        mkdirSync(bareFolder(round))
        const { ms, id } = await bare(bareFolder(round), image, labels)
        stop(id)
        remove(id)
        return ms
      },
      async [byUs](round) {
        const ms = await ours(round)
        await provisioner.remove(`ours-${round}`, { keepData: true })
        return ms
      },
      async [byContainers]() {
        let stop = () => Promise.resolve()
        const ms = await timed(async () => {
          const container = await new PostgreSqlContainer(image)
            .withUsername('postgres')
            .withPassword(PASSWORD)
            .withDatabase('postgres')
            .withLabels(labels)
            .start()
          stop = async () => void (await container.stop())
          await firstQuery(container.getPort())
        })
        await stop()
        return ms
      },
    }),
    [
      { title: 'new folder: call to first query', ours: byUs, theirs: byShell, peer: docker, goal: { atMost: 1 } },
      {
        title: 'new folder, beside testcontainers',
        ours: byUs,
        theirs: byContainers,
        peer: peer('@testcontainers/postgresql', import.meta.url),
        goal: { atMost: 0.75 },
      },
    ],
  )
  report(
    'Existing folder: call to first query, password checked',
    await interleaved(rounds, {
      async [byShell](round) {
        const { ms, id } = await bare(bareFolder(round), image, labels)
        remove(id)
        return ms
      },
      async [byUs](round) {
        const ms = await ours(round)
        await provisioner.remove(`ours-${round}`, { keepData: false })
        return ms
      },
    }),
    [{ title: 'existing folder: call to first query', ours: byUs, theirs: byShell, peer: docker, goal: { atMost: 1 } }],
  )
}

/** Goal 2: how long after the server's own line the call returns. */
export async function benchLateness(provisioner: Provisioner, rounds: number): Promise<void> {
  const lateness: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const name = `late-${round}`
    await provisioner.create({ name, adminPassword: PASSWORD, settings: { log_line_prefix: '%n ' } })
    const returned = Date.now()
    for await (const line of provisioner.logs(name)) {
      if (line.includes('ready to accept connections'))
        lateness[round] = returned - Number(line.split(' ', 1)[0]) * 1000
    }
    await provisioner.remove(name, { keepData: false })
  }
  report('Return of create after the server’s own "ready" line', { [byUs]: lateness })
}
