import { parseSize, type Size } from './sizes.ts'

/** One parameter of a probe: how its value is read, and what a person is told about it. */
export interface Param<T> {
  /** What the value looks like, for messages and for `explain`. */
  readonly form: string
  readonly doc: string
  /** Other spellings that files out there use. */
  readonly aliases: readonly string[]
  readonly required: boolean
  /** Value when the file has none; `undefined` for a required parameter and for one that may stay empty. */
  readonly fallback: T | undefined
  /** The value never appears in a log or a report. */
  readonly secret: boolean
  /** The value is a path; a relative one is made absolute when the file is read. */
  readonly path: boolean
  /**
   * Reads a value of the YAML file or of the command line.
   *
   * @returns `undefined` when the value is not of this form.
   */
  readonly read: (value: unknown) => T | undefined
}

/** The parameters of a probe by their YAML names. */
export type Params = Readonly<Record<string, Param<unknown>>>

/** What a probe's `run` gets for its parameters. */
export type Values<P extends Params> = {
  readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never
}

interface Options<T> {
  readonly aliases?: readonly string[]
  readonly fallback?: T
  readonly secret?: boolean
}

function param<T>(form: string, read: Param<T>['read'], path = false) {
  return (doc: string, options: Options<T> = {}): Param<T> => ({
    form,
    doc,
    read,
    aliases: options.aliases ?? [],
    required: !('fallback' in options),
    fallback: options.fallback,
    secret: options.secret ?? false,
    path,
  })
}

const readText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

const readNumber = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

const readFlag = (value: unknown): boolean | undefined => {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return undefined
  const text = value.toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : undefined
}

const readMap = (value: unknown): Readonly<Record<string, unknown>> | undefined => {
  if (typeof value === 'string') {
    try {
      return readMap(JSON.parse(value) as unknown)
    } catch {
      return undefined
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

/** A text; a bare number in YAML counts as its digits. */
export const text = param<string>('a text', readText)

const readName = (value: unknown): string | undefined => {
  const read = readText(value)
  return read === '' ? undefined : read
}

/** A text that is not empty. */
export const name = param<string>('a text that is not empty', readName)

/** A place in the file system. */
export const location = param<string>('a path', readName, true)

/** A whole number from 1. */
export const count = param<number>('a whole number from 1', (value) => {
  const number = readNumber(value)
  return number !== undefined && Number.isInteger(number) && number >= 1 ? number : undefined
})

/** A duration in seconds above 0, at most a day. */
export const seconds = param<number>('seconds above 0, at most 86400', (value) => {
  const number = readNumber(value)
  return number !== undefined && number > 0 && number <= 86_400 ? number : undefined
})

/** A TCP port; the original writes it as a text. */
export const port = param<number>('a port from 1 to 65535', (value) => {
  const number = readNumber(value)
  return number !== undefined && Number.isInteger(number) && number >= 1 && number <= 65_535 ? number : undefined
})

/** A number of bytes. */
export const size = param<Size>('a size such as 10, 512K, 1.5M or 1GB, from 1 byte to 1T', parseSize)

/** Yes or no. */
export const flag = param<boolean>('true or false', readFlag)

/** `true`, `false`, or a path. */
export const flagOrPath = param<boolean | string>(
  'true, false or the path of a file with CA certificates',
  (value) => readFlag(value) ?? (typeof value === 'string' && value !== '' ? value : undefined),
)

/** Free-form keys and values. */
export const map = param<Readonly<Record<string, unknown>>>('a map of keys and values', readMap)

/** A list of texts, at least one; on the command line the flag is repeated. */
export const names = param<readonly string[]>('a list of texts, at least one', (value) => {
  const list = Array.isArray(value) ? (value as unknown[]) : [value]
  const read = list.map(readText)
  return read.length > 0 && read.every((item) => item !== undefined && item !== '') ? (read as string[]) : undefined
})

/** One of a few words; `also` maps older spellings. */
export function oneOf<const T extends string>(words: readonly T[], also: Readonly<Record<string, T>> = {}) {
  return param<T>(`one of ${words.join(', ')}`, (value) => {
    const read = readText(value) ?? ''
    return words.find((word) => word === read) ?? (Object.hasOwn(also, read) ? also[read] : undefined)
  })
}
