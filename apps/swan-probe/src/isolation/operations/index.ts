import { list } from './list.ts'
import { readDatabase } from './read-database.ts'
import { readFile } from './read-file.ts'
import { readTree } from './read-tree.ts'
import { removeFile, removeFolder } from './remove.ts'
import { inspect } from './inspect.ts'
import { makeFolder, writeFile } from './write-file.ts'

/** Everything that a helper can do. Inputs and outputs are plain data: they cross between processes. */
export const operations = {
  list,
  inspect,
  makeFolder,
  writeFile,
  readFile,
  readTree,
  removeFile,
  removeFolder,
  readDatabase,
} as const

export type Operations = typeof operations
export type OperationName = keyof Operations
