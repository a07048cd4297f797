import { isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml'

/** One thing that is wrong with a configuration, and where. */
export interface Complaint {
  readonly line: number
  readonly setting: string
  readonly message: string
}

/** What reading a field needs: where lines begin, the environment, and a place for complaints. */
interface Reading {
  readonly lines: LineCounter
  readonly env: Readonly<Record<string, string | undefined>>
  readonly complain: (node: Node | null, setting: string, message: string) => void
}

/** A setting: how it is read, what it is without a value, and what `--help` says about it. */
export interface Field<Value> {
  readonly read: (node: Node | null, setting: string, reading: Reading) => Value
  /** Rows of the settings table: dotted name, what it takes, default, meaning. */
  readonly rows: (setting: string) => readonly SettingRow[]
}

/** One line of the table of settings. */
interface SettingRow {
  readonly setting: string
  readonly takes: string
  readonly default: string
  readonly meaning: string
}

/** The value that a field reads. */
export type ValueOf<F> = F extends Field<infer Value> ? Value : never

interface ScalarOptions<Value> {
  readonly default: Value
  readonly meaning: string
  /** Environment variable that wins over the file. */
  readonly env?: string
}

function scalar<Parsed, Value>(
  takes: string,
  parse: (value: unknown) => Parsed | undefined,
  options: ScalarOptions<Value>,
): Field<Parsed | Value> {
  return {
    rows: (setting) => [
      {
        setting,
        takes,
        default: options.default === undefined ? '' : JSON.stringify(options.default),
        meaning: options.env === undefined ? options.meaning : `${options.meaning} (or ${options.env})`,
      },
    ],
    read(node, setting, reading) {
      const fromEnv = options.env === undefined ? undefined : reading.env[options.env]
      if (fromEnv !== undefined && fromEnv !== '') {
        const parsed = parse(/^(true|false|-?\d+(\.\d+)?)$/.test(fromEnv) ? JSON.parse(fromEnv) : fromEnv)
        if (parsed !== undefined) return parsed
        reading.complain(
          null,
          `${setting} (from ${String(options.env)})`,
          `Expected ${takes}, got another kind of value`,
        )
        return options.default
      }
      if (node === null || (isScalar(node) && node.value === null)) return options.default
      const parsed = isScalar(node) ? parse(node.value) : undefined
      if (parsed !== undefined) return parsed
      // The value itself is not shown: it may be a secret on the wrong line.
      reading.complain(node, setting, `Expected ${takes}, got ${isScalar(node) ? typeof node.value : 'a collection'}`)
      return options.default
    },
  }
}

/** A text. */
export function text<Default extends string | undefined>(
  options: ScalarOptions<Default> & { readonly pattern?: RegExp; readonly takes?: string },
): Field<string | Default> {
  return scalar(
    options.takes ?? 'text',
    (value) => {
      if (typeof value !== 'string' && typeof value !== 'number') return undefined
      return options.pattern?.test(String(value)) === false ? undefined : String(value)
    },
    options,
  )
}

/** A number within bounds. */
export function number<Default extends number | undefined>(
  options: ScalarOptions<Default> & { readonly min: number; readonly max?: number; readonly integer?: boolean },
): Field<number | Default> {
  const { min, max = Number.MAX_SAFE_INTEGER, integer = true } = options
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`
  return scalar(
    `a ${integer ? 'whole ' : ''}number ${range}`,
    (value) =>
      typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))
        ? value
        : undefined,
    options,
  )
}

/** A yes or no. */
export function flag(options: ScalarOptions<boolean>): Field<boolean> {
  return scalar('true or false', (value) => (typeof value === 'boolean' ? value : undefined), options)
}

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[], options: ScalarOptions<Word>): Field<Word> {
  return scalar(`one of ${words.join(', ')}`, (value) => words.find((word) => word === value), options)
}

/** A list of texts; a single text is a list of one. */
export function texts(options: {
  readonly meaning: string
  readonly default?: readonly string[]
}): Field<readonly string[]> {
  const fallback = options.default ?? []
  return {
    rows: (setting) => [
      { setting, takes: 'list of texts', default: JSON.stringify(fallback), meaning: options.meaning },
    ],
    read(node, setting, reading) {
      if (node === null || (isScalar(node) && node.value === null)) return fallback
      const items = isSeq(node) ? node.items : [node]
      return items.flatMap((item) => {
        if (isScalar(item) && (typeof item.value === 'string' || typeof item.value === 'number')) {
          return [String(item.value)]
        }
        reading.complain(item as Node, setting, 'Expected a list of texts')
        return []
      })
    },
  }
}

function isText(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** A map from free names to texts. */
export function textMap(options: { readonly meaning: string }): Field<Readonly<Record<string, string>>> {
  return {
    rows: (setting) => [{ setting, takes: 'map of texts', default: '{}', meaning: options.meaning }],
    read(node, setting, reading) {
      if (node === null || (isScalar(node) && node.value === null)) return {}
      if (!isMap(node)) {
        reading.complain(node, setting, 'Expected a map of texts')
        return {}
      }
      const entries: [string, string][] = []
      for (const { key, value } of node.items) {
        if (isScalar(key) && isScalar(value) && isText(value.value)) {
          entries.push([String(key.value), String(value.value)])
        } else reading.complain((value ?? key) as Node, setting, 'Expected a map of texts')
      }
      return Object.fromEntries(entries)
    },
  }
}

/** A list of maps of one shape. */
export function listOf<Value>(item: Field<Value>, options: { readonly meaning: string }): Field<readonly Value[]> {
  return {
    rows: (setting) => [
      { setting, takes: 'list', default: '[]', meaning: options.meaning },
      ...item.rows(`${setting}[]`),
    ],
    read(node, setting, reading) {
      if (node === null || (isScalar(node) && node.value === null)) return []
      if (!isSeq(node)) {
        reading.complain(node, setting, 'Expected a list')
        return []
      }
      return node.items.map((each, index) => item.read(each as Node, `${setting}[${index}]`, reading))
    },
  }
}

/** A map with known keys; an unknown key is a complaint that names the nearest known ones. */
export function group<const Shape extends Readonly<Record<string, Field<unknown>>>>(
  shape: Shape,
): Field<{ readonly [Key in keyof Shape]: ValueOf<Shape[Key]> }> {
  const inside = (setting: string, key: string) => (setting === '' ? key : `${setting}.${key}`)
  return {
    rows: (setting) => Object.entries(shape).flatMap(([key, field]) => field.rows(inside(setting, key))),
    read(node, setting, reading) {
      const given = new Map<string, Node | null>()
      if (isMap(node)) {
        for (const { key, value } of node.items) {
          const name = isScalar(key) ? String(key.value) : '?'
          if (Object.hasOwn(shape, name)) given.set(name, value as Node | null)
          else {
            const known = Object.keys(shape).join(', ')
            reading.complain(key as Node, inside(setting, name), `Unknown setting; known here: ${known}`)
          }
        }
      } else if (node !== null && !(isScalar(node) && node.value === null)) {
        reading.complain(node, setting === '' ? 'configuration' : setting, 'Expected a map of settings')
      }
      const values = Object.entries(shape).map(([key, field]) => [
        key,
        field.read(given.get(key) ?? null, inside(setting, key), reading),
      ])
      return Object.fromEntries(values) as { readonly [Key in keyof Shape]: ValueOf<Shape[Key]> }
    },
  }
}
