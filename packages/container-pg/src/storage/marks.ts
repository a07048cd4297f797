import { readFile } from 'node:fs/promises'
import path from 'node:path'

import type { ImageFacts } from '../engine/engine.ts'
import { ContainerPgError } from '../errors.ts'
import { readJson, writeDurably } from '../internal/files.ts'
import { hasData, type StorageFolder } from './folder.ts'

/** What is known about the data in a folder: a first start was begun, or it was brought to its end. */
export interface Mark {
  readonly phase: 'initialising' | 'ready'
  /** Major version that made the data, `undefined` when the image did not say. */
  readonly major: number | undefined
  /** The create that made the data, `undefined` for data that were there before. */
  readonly attempt?: string | undefined
}

/** What a start on a folder means. */
export type FolderState = 'empty' | 'half-made' | 'ready' | 'foreign'

/**
 * Tells what a start would find. An image looks for `PG_VERSION` only and takes a half-made folder for a whole one, so the
 * marks decide: `initialising` is written before the first start, `ready` after the first login.
 */
export async function folderState(folder: StorageFolder): Promise<FolderState> {
  const phase = (await readMark(folder))?.phase
  if (phase === 'ready') return 'ready'
  if (phase === 'initialising') return 'half-made'
  return (await hasData(folder)) ? 'foreign' : 'empty'
}

/** Reads a folder's mark; one that makes no sense is none, and the data then those of an unknown maker. */
export async function readMark(folder: StorageFolder): Promise<Mark | undefined> {
  try {
    return await readJson<Mark>(folder.markFile)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Writes a folder's mark, in one step. */
export function writeMark(folder: StorageFolder, mark: Mark): Promise<void> {
  return writeDurably(folder.markFile, `${JSON.stringify(mark)}\n`)
}

/**
 * Compares data and image before a start; the server itself would only say FATAL, or, where the image keeps each version in
 * a folder of its own, begin with an empty cluster.
 *
 * @throws {@link ContainerPgError} `VERSION_MISMATCH`.
 */
export async function checkVersion(folder: StorageFolder, image: ImageFacts, imageName: string): Promise<void> {
  const made = (await versionOf(folder, image)) ?? (await readMark(folder))?.major
  if (made === undefined || image.major === undefined || made === image.major) return
  throw new ContainerPgError(
    'VERSION_MISMATCH',
    `The data in ${folder.path} was made by Postgres ${made}; the image ${imageName} has Postgres ${image.major}`,
    { remedy: `Use an image with Postgres ${made}, or dump with it and restore into a new server.` },
  )
}

async function versionOf(folder: StorageFolder, image: ImageFacts): Promise<number | undefined> {
  const file = path.join(folder.pgdata, path.posix.relative(image.volume, image.pgdata), 'PG_VERSION')
  try {
    return Number.parseInt(await readFile(file, 'utf8'), 10)
  } catch {
    return undefined
  }
}
