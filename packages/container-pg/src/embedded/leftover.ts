import { execFile } from 'node:child_process'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Ends the server that a killed process left behind in a cluster folder, first politely.
 *
 * Call it only while holding the folder's lock: then nobody else can own that server.
 *
 * @param graceMs - Time for each of the three steps (fast shutdown, immediate shutdown, kill).
 */
export async function stopLeftover(cluster: string, graceMs: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    const pids = await serverProcesses(cluster)
    if (pids.length === 0) break
    const postmaster = await recordedPid(cluster)
    // The children follow their postmaster; they are signalled one by one only when it is gone or does not answer.
    const targets = signal === 'SIGKILL' || !pids.includes(postmaster ?? 0) ? pids : [postmaster ?? 0]
    for (const pid of targets) signalQuietly(pid, signal)
    const deadline = performance.now() + graceMs
    while (performance.now() < deadline && (await serverProcesses(cluster)).length > 0) await delay(20)
  }
  // Nobody is left: the record may name a number that by now is another process of the same user.
  await rm(path.join(cluster, 'postmaster.pid'), { force: true })
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself between the look and the signal.
  }
}

async function recordedPid(cluster: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(path.join(cluster, 'postmaster.pid'), 'utf8'), 10)
  } catch {
    return undefined
  }
}

/** Every process of a server has its data folder as working folder, which also holds when the recorded number is stale. */
async function serverProcesses(cluster: string): Promise<number[]> {
  if (process.platform !== 'linux') return recordedServer(cluster)
  const { dev, ino } = await stat(cluster)
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const hits = await Promise.all(
    numbers.map(async (pid) => {
      try {
        const cwd = await stat(`/proc/${pid}/cwd`)
        return (
          cwd.dev === dev && cwd.ino === ino && (await readFile(`/proc/${pid}/comm`, 'utf8')).startsWith('postgres')
        )
      } catch {
        return false
      }
    }),
  )
  return numbers.filter((_, index) => hits[index]).map(Number)
}

async function recordedServer(cluster: string): Promise<number[]> {
  const pid = await recordedPid(cluster)
  if (pid === undefined) return []
  try {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)])
    return stdout.includes('postgres') ? [pid] : []
  } catch {
    return []
  }
}
