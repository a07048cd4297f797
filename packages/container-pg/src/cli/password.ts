import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'

import { ContainerPgError } from '../errors.ts'
import type { World } from './world.ts'

/** A password, and whether the user has yet to be told. */
export interface Password {
  readonly text: string
  readonly generated: boolean
}

/** Takes CONTAINER_PG_PASSWORD, or makes one: an argument would show in the process list. */
export function askPassword({ env }: World): Promise<Password> {
  const given = env['CONTAINER_PG_PASSWORD']
  if (given !== undefined) return Promise.resolve({ text: given, generated: false })
  return Promise.resolve({ text: randomBytes(18).toString('base64url'), generated: true })
}

/** Reads a password from a file, without the line break at its end. */
export async function readPasswordFile(file: string): Promise<Password> {
  try {
    if (((await stat(file)).mode & 0o004) !== 0) {
      throw new ContainerPgError('INVALID_INPUT', `Every user can read ${file}`, { remedy: `chmod 600 ${file}` })
    }
    return { text: (await readFile(file, 'utf8')).replace(/\r?\n$/, ''), generated: false }
  } catch (error) {
    if (error instanceof ContainerPgError) throw error
    throw new ContainerPgError('INVALID_INPUT', `Could not read ${file}`, { cause: error })
  }
}
