import { execFileSync, type ExecFileSyncOptions, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A mount of a test's own; disposing takes it away whatever state it is in. */
export interface TestMount extends Disposable {
  readonly dir: string
}

const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'ignore', 'pipe'] }

/**
 * A FUSE mount whose file system never answers: every access hangs until it is killed.
 *
 * `crash` lets its process go, after which every access gets ENOTCONN.
 */
export function hungMount(source = 'hung'): TestMount & { crash(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'hung-'))
  const fuse = openSync('/dev/fuse', 'r+')
  execFileSync('mount', ['-i', '-t', 'fuse', '-o', 'fd=3,rootmode=40000,user_id=0,group_id=0', source, dir], {
    stdio: ['ignore', 'ignore', 'pipe', fuse],
  })
  let open = true
  const crash = () => {
    if (open) closeSync(fuse)
    open = false
  }
  return {
    dir,
    crash,
    [Symbol.dispose]() {
      crash()
      execFileSync('umount', ['-l', dir], quiet)
      rmSync(dir, { recursive: true })
    },
  }
}

/** An ext4 file system in a file, so that faults can be made below it. */
export function diskMount(mebibytes: number): TestMount & {
  readonly image: string
  freeze(): void
  thaw(): void
  remount(option: 'ro' | 'rw'): void
} {
  const dir = mkdtempSync(path.join(tmpdir(), 'disk-'))
  const image = `${dir}.img`
  execFileSync('truncate', ['-s', `${mebibytes}M`, image], quiet)
  execFileSync('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', image], quiet)
  execFileSync('mount', ['-o', 'loop', image, dir], quiet)
  return {
    dir,
    image,
    freeze: () => execFileSync('fsfreeze', ['-f', dir], quiet),
    thaw: () => void spawnSync('fsfreeze', ['-u', dir]),
    remount: (option) => execFileSync('mount', ['-o', `remount,${option}`, dir], quiet),
    [Symbol.dispose]() {
      spawnSync('fsfreeze', ['-u', dir])
      execFileSync('umount', ['-l', dir], quiet)
      rmSync(dir, { recursive: true })
      rmSync(image)
    },
  }
}
