import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A process that is told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it began, in clock ticks since boot; absent where there is no /proc. */
  readonly ticks?: number
}

/** Reads state and start of a process from /proc; `undefined` when it is gone or there is no /proc. */
function stat(pid: number): { readonly state: string; readonly group: number; readonly ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in brackets and may hold anything; fields count from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', group: Number(fields[2]), ticks: Number(fields[19]) }
  } catch {
    return undefined
  }
}

/** The identity of a running process. */
export function identify(pid: number): ProcessIdentity {
  const found = stat(pid)
  return found === undefined ? { pid } : { pid, ticks: found.ticks }
}

/** The process group of a process. */
export function groupOf(pid: number): number | undefined {
  return stat(pid)?.group
}

/** Whether this very process still runs; one that has ended and only waits to be collected does not. */
export function isRunning({ pid, ticks }: ProcessIdentity): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  const found = stat(pid)
  if (found === undefined) return process.platform !== 'linux'
  return found.state !== 'Z' && found.state !== 'X' && (ticks === undefined || found.ticks === ticks)
}

/** Sends a signal to a process and all of its group; a process that is gone is no failure. */
export function signalGroup({ pid, ticks }: ProcessIdentity, signal: NodeJS.Signals): void {
  const found = stat(pid)
  // A number is given out again only when nobody of its group is left.
  if (found !== undefined && ticks !== undefined && found.ticks !== ticks) return
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal)
      return
    } catch {
      // No such group: it may not lead one.
    }
  }
}

/** Waits until a process has ended, looking every 20 ms; `false` when it still runs after `timeoutMs`. */
export async function hasEnded(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (isRunning(identity)) {
    if (performance.now() >= deadline) return false
    await delay(20)
  }
  return true
}

/**
 * Processes whose environment holds `name=value`, the first in each group.
 *
 * Finds what a killed hub had begun and could not write down. Only own processes can be read, except as root.
 */
export function processesMarked(name: string, value: string): ProcessIdentity[] {
  const wanted = `${name}=${value}`
  let entries: string[]
  try {
    entries = readdirSync('/proc')
  } catch {
    return []
  }
  return entries.flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const marked = readFileSync(`/proc/${entry}/environ`, 'latin1').split('\0').includes(wanted)
      return marked ? [identify(Number(entry))] : []
    } catch {
      return []
    }
  })
}

/** Resident memory of a process in bytes, `undefined` when it cannot be told. */
export function residentBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096
  } catch {
    return undefined
  }
}
