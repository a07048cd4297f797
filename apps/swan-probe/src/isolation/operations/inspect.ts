import { lstatSync, realpathSync, statfsSync, statSync } from 'node:fs'

import type { Step } from './step.ts'

/** What stands at a path. */
export interface Inspection {
  readonly kind: 'file' | 'folder' | 'other' | 'nothing'
  readonly bytes: number
  readonly device: number
  /** Where the path leads when links are followed. */
  readonly realPath: string
  /** Room for an ordinary user on its file system, in bytes. */
  readonly freeBytes: number
  /** Time of the first look, without the rest. */
  readonly seconds: number
  /** A link that leads nowhere. */
  readonly dangling: boolean
}

/** Looks at a path; that nothing is there is an answer, anything else that fails is an error. */
export function inspect(input: { readonly path: string }, step: Step): Inspection {
  step('stat')
  const started = performance.now()
  const nothing = { kind: 'nothing', bytes: 0, device: 0, realPath: input.path, freeBytes: 0 } as const
  const stat = statSync(input.path, { throwIfNoEntry: false })
  const seconds = (performance.now() - started) / 1000
  if (stat === undefined) {
    return { ...nothing, seconds, dangling: lstatSync(input.path, { throwIfNoEntry: false }) !== undefined }
  }
  step('statfs')
  const room = statfsSync(input.path)
  return {
    kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other',
    bytes: stat.size,
    device: stat.dev,
    realPath: realpathSync.native(input.path),
    freeBytes: room.bavail * room.bsize,
    seconds,
    dangling: false,
  }
}
