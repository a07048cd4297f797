import { messageOf } from '../errors.ts'
import { printableLine } from '../printable.ts'

/** Runs a task of the watcher; one that cannot even begin, as without a free descriptor, is told and left out. */
export async function outlived<T>(task: () => Promise<T>): Promise<T | undefined> {
  try {
    return await task()
  } catch (error) {
    process.stderr.write(`swan-probe: a run was left out: ${printableLine(messageOf(error))}\n`)
    return undefined
  }
}
