import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'

import { HubError } from '../errors.ts'
import { identify, isRunning, type ProcessIdentity } from './processes.ts'
import { writePrivately } from './private-files.ts'

/**
 * Makes sure that one hub works in a data folder; the record of one that was killed is taken over.
 *
 * @throws {@link HubError} `HUB_ALREADY_RUNNING`.
 */
export function holdFolder(folder: string): Disposable {
  const file = path.join(folder, 'hub.json')
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity
    if (holder.pid !== process.pid && isRunning(holder)) {
      throw new HubError('HUB_ALREADY_RUNNING', `The hub with process ${holder.pid} already works in ${folder}`)
    }
  } catch (error) {
    if (error instanceof HubError) throw error
  }
  writePrivately(file, JSON.stringify(identify(process.pid)))
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) }
}
