import { closeSync, openSync, opendirSync, readSync } from 'node:fs'
import path from 'node:path'

import { blockBytes } from './content.ts'
import type { Step } from './step.ts'

interface TreeInput {
  readonly path: string
  /** How many of its folders, in the order of their names. */
  readonly folders: number
  /** Longest list of files from one folder; a release tree has millions. */
  readonly filesPerFolder: number
}

/** One file that was read whole. */
export interface TreeRow {
  readonly path: string
  readonly bytes: number
  readonly openSeconds: number
  readonly firstByteSeconds: number
  readonly seconds: number
}

/** Reads the files of the first folders of a tree. Links are not followed: a loop of them ends nowhere. */
export function readTree(
  input: TreeInput,
  step: Step,
): { readonly folders: number; readonly rows: readonly TreeRow[] } {
  step('readdir')
  const folders = namesIn(input.path, (entry) => entry.isDirectory()).slice(0, input.folders)
  const buffer = Buffer.allocUnsafe(blockBytes)
  const rows: TreeRow[] = []
  for (const folder of folders) {
    for (const file of filesBelow(path.join(input.path, folder), input.filesPerFolder, step)) {
      step(`read`)
      rows.push(readWhole(file, buffer))
    }
  }
  return { folders: folders.length, rows }
}

type Entry = { readonly name: string; isDirectory(): boolean; isFile(): boolean }

function namesIn(folder: string, keep: (entry: Entry) => boolean): string[] {
  const open = opendirSync(folder)
  const names: string[] = []
  for (let entry = open.readSync(); entry !== null; entry = open.readSync()) if (keep(entry)) names.push(entry.name)
  open.closeSync()
  return names.sort()
}

function filesBelow(folder: string, atMost: number, step: Step): string[] {
  const found: string[] = []
  const waiting = [folder]
  while (found.length < atMost) {
    const next = waiting.shift()
    if (next === undefined) break
    step('readdir')
    found.push(...namesIn(next, (entry) => entry.isFile()).map((name) => path.join(next, name)))
    waiting.push(...namesIn(next, (entry) => entry.isDirectory()).map((name) => path.join(next, name)))
  }
  return found.slice(0, atMost)
}

function readWhole(file: string, buffer: Buffer): TreeRow {
  const started = process.hrtime.bigint()
  const since = () => Number(process.hrtime.bigint() - started) / 1e9
  const fd = openSync(file, 'r')
  const openSeconds = since()
  let firstByteSeconds: number | undefined
  let bytes = 0
  try {
    for (let got = -1; got !== 0; bytes += got) {
      got = readSync(fd, buffer, 0, buffer.length, null)
      firstByteSeconds ??= since()
    }
  } finally {
    closeSync(fd)
  }
  return { path: file, bytes, openSeconds, firstByteSeconds: firstByteSeconds ?? openSeconds, seconds: since() }
}
