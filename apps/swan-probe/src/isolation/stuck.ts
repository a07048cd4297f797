import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'

/** A child that not even SIGKILL could end: the kernel holds it inside a call on a mount. */
export interface Stuck {
  readonly pid: number
  /** Field 22 of `/proc/PID/stat`: with the pid it names one process for ever. */
  readonly startTicks: string
  /** Device of the mount, `major:minor`. */
  readonly device: string
  readonly mountPoint: string
  /** The call it hangs in. */
  readonly step: string
  /** When it was given up, ISO 8601. */
  readonly since: string
}

/**
 * Remembers stuck children per mount, across runs: the next run must not add another one to the same dead mount.
 *
 * @see https://github.com/prometheus/node_exporter/issues/244 (checkers that pile up on a hung mount)
 */
export class StuckMemory {
  readonly #folder: string

  constructor(folder: string = defaultFolder()) {
    this.#folder = folder
  }

  /** Finds the child that still hangs on a device; forgets those that ended meanwhile. */
  find(device: string): Stuck | undefined {
    for (const file of this.#files()) {
      const stuck = this.#read(file)
      if (stuck === undefined || startTicksOf(stuck.pid) !== stuck.startTicks) {
        rmSync(path.join(this.#folder, file), { force: true })
      } else if (stuck.device === device) {
        return stuck
      }
    }
    return undefined
  }

  /** Remembers a child; says nothing when its folder cannot be written, since the verdict is the same. */
  remember(stuck: Omit<Stuck, 'startTicks'>): void {
    const startTicks = startTicksOf(stuck.pid)
    if (startTicks === undefined) return
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      if (!this.#isOurs()) return
      writeFileSync(path.join(this.#folder, `${stuck.pid}.json`), JSON.stringify({ ...stuck, startTicks }), {
        mode: 0o600,
      })
    } catch {
      // A read-only home must not turn a verdict about a mount into a crash.
    }
  }

  #files(): string[] {
    try {
      if (!this.#isOurs()) return []
      return readdirSync(this.#folder).filter((file) => file.endsWith('.json'))
    } catch {
      return []
    }
  }

  /** In a shared temporary folder somebody else may have put it there, to make mounts look dead, or as a link elsewhere. */
  #isOurs(): boolean {
    const { uid } = userInfo()
    return [path.dirname(this.#folder), this.#folder].every((folder) => {
      const stat = lstatSync(folder)
      return stat.isDirectory() && stat.uid === uid
    })
  }

  #read(file: string): Stuck | undefined {
    try {
      return JSON.parse(readFileSync(path.join(this.#folder, file), 'utf8')) as Stuck
    } catch {
      return undefined
    }
  }
}

function defaultFolder(): string {
  return path.join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `swan-probe-${userInfo().uid}`, 'stuck')
}

/**
 * Start time of a process in clock ticks since boot, `undefined` when it is gone or a zombie.
 *
 * Reads `stat` only: another process's `cmdline` can hang with it.
 */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold anything, so fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
