import cluster from 'node:cluster'
import { createInterface } from 'node:readline'

import { freePort } from '../../src/internal/free-port.ts'
import { tryLock } from '../../src/internal/kernel-lock.ts'

// A service that runs as two workers of a Node cluster, which share what they listen on. Each tries the lock when the other has
// tried it; the first says in one line how both fared.
const [name = ''] = process.argv.slice(2)
if (cluster.isPrimary) {
  const results: unknown[] = []
  for (let left = 2; left > 0; left -= 1) {
    const worker = cluster.fork()
    results.push(await new Promise((resolve) => worker.once('message', resolve)))
  }
  console.log(JSON.stringify(results))
  for (const worker of Object.values(cluster.workers ?? {})) worker?.kill('SIGKILL')
} else {
  const lock = await tryLock(name)
  process.send?.({ locked: lock !== undefined, port: await freePort() })
  // Holds it until it is killed.
  createInterface({ input: process.stdin })
  setInterval(() => {}, 1000)
}
