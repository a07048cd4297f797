import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, openSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import Docker from 'dockerode'
import { Client } from 'pg'

import { createProvisioner } from '../../src/index.ts'

// Runs in a network, a process tree and mounts of its own, with an engine of its own, which it restarts in order and by force.
// Says what came of it in one line of JSON.
const [folder = '', image = '', imageFile = ''] = process.argv.slice(2)
execFileSync('ip', ['link', 'set', 'lo', 'up'])
const socketPath = path.join(folder, 'engine.sock')
const log = openSync(path.join(folder, 'dockerd.log'), 'a')
const docker = new Docker({ socketPath })

async function startEngine() {
  const parts = ['--data-root', 'data', '--exec-root', 'exec', '--pidfile', 'pid'].map((word) =>
    word.startsWith('-') ? word : path.join(folder, word),
  )
  const child = spawn('dockerd', ['-H', `unix://${socketPath}`, ...parts], { stdio: ['ignore', log, log] })
  for (;;) {
    if (child.exitCode !== null) throw new Error(readFileSync(path.join(folder, 'dockerd.log'), 'utf8').slice(-2000))
    try {
      await docker.ping()
      return child
    } catch {
      await delay(50)
    }
  }
}

async function query(port: number, text: string): Promise<unknown[]> {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: 'abc', database: 'postgres' })
  // A connection that breaks says so twice: here, and to who waits for an answer.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows as unknown[]
  } finally {
    await client.end()
  }
}

let engine = await startEngine()
try {
  const loading = (await docker.loadImage(createReadStream(imageFile))) as NodeJS.ReadableStream
  loading.resume()
  await once(loading, 'end')
  const provisioner = await createProvisioner({ storageRoot: path.join(folder, 'root'), image, docker: { socketPath } })
  const server = await provisioner.create({ name: 'a', adminPassword: 'abc' })
  await query(server.port, 'CREATE TABLE kept AS SELECT 1 AS one')

  const stop = new AbortController()
  const heard: string[] = []
  const keeping = provisioner.keep(stop.signal, (result) => {
    heard.push(result instanceof Error ? result.message : `started ${result.started.join()}`)
  })
  const result: Record<string, unknown> = {}
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    engine.kill(signal)
    await once(engine, 'exit')
    // Nobody here collects the dead, and the next engine would take its dead helper for a living one.
    rmSync(path.join(folder, 'exec/containerd/containerd.pid'), { force: true })
    engine = await startEngine()
    const deadline = performance.now() + 40_000
    let rows: unknown
    while (rows === undefined && performance.now() < deadline) {
      rows = await query(server.port, 'TABLE kept').catch(() => undefined)
      await delay(100)
    }
    result[signal] = rows
  }
  stop.abort()
  await keeping
  result['state'] = (await provisioner.get('a'))?.state
  result['heard'] = [...new Set(heard)]
  await provisioner.remove('a', { keepData: false })
  result['left'] = (await docker.listContainers({ all: true })).length
  console.log(JSON.stringify(result))
} finally {
  engine.kill('SIGTERM')
  if (engine.exitCode === null && engine.signalCode === null) await once(engine, 'exit')
}
