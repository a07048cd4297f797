import { createHash } from 'node:crypto'

/** Start of every name that a pool makes; what does not match is never touched. */
const PREFIX = 'cpgtest'

/** Name of the template of a version; shared by all pools of that version. */
export const templateName = (key: string): string => `${PREFIX}_t_${hash(key).toString('hex').slice(0, 16)}`

/** Name of a template while it is being made. */
export const draftName = (template: string): string => `${template}_new`

/** Name of the n-th database of a pool. */
export const cloneName = (owner: string, count: number): string => `${PREFIX}_c_${owner}_${count}`

/** Reads the pool's id out of a database's name. */
export const ownerOf = (database: string): string | undefined =>
  new RegExp(`^${PREFIX}_c_([0-9a-f]{16})_\\d+$`).exec(database)?.[1]

/** Tells whether a database is a template in the making. */
export const isDraft = (database: string): boolean => new RegExp(`^${PREFIX}_t_[0-9a-f]{16}_new$`).test(database)

/** Tells whether a database is a finished template. */
export const isTemplate = (database: string): boolean => new RegExp(`^${PREFIX}_t_[0-9a-f]{16}$`).test(database)

/** Pattern for `LIKE` that all names match. */
export const ALL_NAMES: string = `${PREFIX}\\_%`

/** Number for an advisory lock, as text: it may need all 64 bits. */
export function lockNumber(name: string): string {
  return hash(`lock ${name}`).readBigInt64BE(0).toString()
}

const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
