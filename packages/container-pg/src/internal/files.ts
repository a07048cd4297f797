import { constants } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** One name, so that what a killed process left is found again: by the next one that writes or removes the file. */
const draftOf = (file: string): string => `${file}.draft`

/**
 * Replaces a file in one step that survives a power cut; readers see the old or the new content. One writer at a time: the
 * caller holds a lock.
 */
export async function writeDurably(file: string, content: string): Promise<void> {
  const draft = draftOf(file)
  await rm(draft, { force: true })
  try {
    // Never through a link: others may write to the folder.
    await using handle = await open(draft, 'wx', 0o600)
    await handle.writeFile(content)
    await handle.sync()
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await renameDurably(draft, file)
}

/** Gives a file its name so that it keeps it after a power cut. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await syncFolder(path.dirname(to))
}

/** Removes a file so that it stays removed after a power cut. */
export async function removeDurably(file: string): Promise<void> {
  await rm(file, { force: true })
  await rm(draftOf(file), { force: true })
  await syncFolder(path.dirname(file))
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  await handle.sync()
}

/** Reads a JSON file, `undefined` when it does not exist. */
export async function readJson<Content>(file: string): Promise<Content | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  return JSON.parse(text) as Content
}
