import { readFileSync } from 'node:fs'
import path from 'node:path'

/** One line of `/proc/self/mountinfo`. */
export interface Mount {
  readonly id: number
  /** `major:minor`; the same for every place where one file system is mounted. */
  readonly device: string
  readonly mountPoint: string
  /** Directory of the file system that is mounted here; not `/` for a bind mount of a part. */
  readonly root: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

const unescape = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/**
 * Reads a mount table.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export function parseMountinfo(table: string): readonly Mount[] {
  const mounts: Mount[] = []
  for (const line of table.split('\n')) {
    const fields = line.split(' ')
    // Optional fields stand before a lone dash, so the rest is counted from there.
    const dash = fields.indexOf('-', 6)
    if (dash === -1) continue
    mounts.push({
      id: Number(fields[0]),
      device: fields[2] ?? '',
      root: unescape(fields[3] ?? ''),
      mountPoint: unescape(fields[4] ?? ''),
      options: (fields[5] ?? '').split(','),
      type: fields[dash + 1] ?? '',
      source: unescape(fields[dash + 2] ?? ''),
    })
  }
  return mounts
}

/** Reads the mount table of this process. It comes from the kernel's memory: no file system is asked, nothing hangs. */
export function readMounts(): readonly Mount[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'))
}

/**
 * Finds the mount that holds a path, by the words of the path alone: links are not followed, since that can hang.
 *
 * Of several mounts on one point the last is on top and hides the others.
 */
export function mountOf(target: string, mounts: readonly Mount[]): Mount | undefined {
  const absolute = path.resolve(target)
  let best: Mount | undefined
  for (const mount of mounts) {
    const prefix = mount.mountPoint === '/' ? '/' : `${mount.mountPoint}/`
    const holds = absolute === mount.mountPoint || absolute.startsWith(prefix)
    if (holds && mount.mountPoint.length >= (best?.mountPoint.length ?? 0)) best = mount
  }
  return best
}
