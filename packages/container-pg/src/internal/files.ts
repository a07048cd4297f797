import { constants } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { randomUUID } from 'node:crypto'

/** Replaces a file in one step that survives a power cut; readers see the old or the new content. */
export async function writeDurably(file: string, content: string, mode = 0o600): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    await using handle = await open(draft, 'wx', mode)
    await handle.writeFile(content)
    await handle.sync()
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncFolder(path.dirname(file))
}

/** Removes a file so that it stays removed after a power cut. */
export async function removeDurably(file: string): Promise<void> {
  await rm(file, { force: true })
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
