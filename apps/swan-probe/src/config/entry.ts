import { readFileSync } from 'node:fs'

import { messageOf } from '../errors.ts'
import type { Probe } from '../probes/probe.ts'
import type { Entry } from './config.ts'
import type { LoadOptions } from './load-options.ts'
import { nearest } from './nearest.ts'
import { type Param, seconds } from './params.ts'
import { absolutePath } from './paths.ts'
import { parseRange, type Threshold } from './thresholds.ts'

/** One key of a probe, from a file or from the command line. */
export interface EntryField {
  readonly key: string
  readonly value: unknown
  complain(message: string, place?: 'key'): void
}

/** Longest limit that is worked out, for many users or much to write: beyond 2^31 ms a timer fires at once. */
const longestSeconds = 20 * 86_400

const timeout = seconds('Limit of this probe; a run that is not over by then fails.', { fallback: 0 })
const every = seconds('How often `watch` runs it.', { fallback: 0 })

/** Parameters that every probe takes beside its own. */
export const commonParams = {
  timeout: { form: timeout.form, doc: timeout.doc },
  every: { form: every.form, doc: every.doc },
  thresholds: {
    form: 'a map of measurement to warn and crit ranges',
    doc: 'Limits: `{seconds: {warn: 1, crit: 5}}`; ranges as monitoring plugins write them.',
  },
} as const

/**
 * Reads the keys of one probe.
 *
 * @returns `undefined` when something is wrong; every complaint was made by then.
 */
export function readEntry(
  probe: Probe,
  given: readonly EntryField[],
  options: LoadOptions,
  complain: (message: string) => void,
): Entry | undefined {
  const values: Record<string, unknown> = {}
  const seen = new Set<string>()
  let common: Pick<Entry, 'thresholds' | 'everySeconds'> & { timeout: number | undefined } = {
    timeout: undefined,
    everySeconds: undefined,
    thresholds: new Map(),
  }
  let wrong = false
  for (const field of given) {
    const name = nameOf(probe, field.key)
    const fail = (message: string, place?: 'key') => {
      wrong = true
      field.complain(message, place)
    }
    if (name === undefined) {
      const known = [...Object.keys(probe.params), ...Object.keys(commonParams)]
      fail(`Unknown key \`${field.key}\` in \`${probe.id}\`${nearest(field.key, known)}`, 'key')
    } else if (seen.has(name)) {
      fail(`\`${name}\` of \`${probe.id}\` is given twice, here as \`${field.key}\``, 'key')
    } else if (probe.params[name] !== undefined) {
      seen.add(name)
      const read = readValue(probe.params[name], field, options, fail)
      if (read !== undefined) values[name] = read
    } else if (name === 'thresholds') {
      seen.add(name)
      common = { ...common, thresholds: readThresholds(probe, field.value, fail) }
    } else {
      seen.add(name)
      const param = name === 'timeout' ? timeout : every
      const read = param.read(field.value)
      if (read === undefined) fail(`Expected \`${field.key}\` to be ${param.form}, got ${show(field.value)}`)
      else common = name === 'timeout' ? { ...common, timeout: read } : { ...common, everySeconds: read }
    }
  }
  for (const [name, param] of Object.entries(probe.params)) {
    if (seen.has(name)) continue
    if (name === 'filePath' && probe.group === 'storage' && options.userPath !== undefined) {
      values[name] = `${options.userPath.replace(/\/+$/, '')}/`
    } else if (param.required) {
      wrong = true
      complain(`\`${probe.id}\` needs \`${name}\`: ${param.doc}`)
    } else {
      values[name] = param.fallback
    }
  }
  if (wrong) return undefined
  return {
    probe,
    values,
    ...common,
    timeoutSeconds: Math.min(longestSeconds, common.timeout ?? probe.timeLimit(values)),
  }
}

/** Finds the parameter that a spelling means. */
function nameOf(probe: Probe, key: string): string | undefined {
  if (Object.hasOwn(probe.params, key)) return key
  const alias = Object.entries(probe.params).find(([, param]) => param.aliases.includes(key))
  return alias?.[0] ?? (Object.hasOwn(commonParams, key) ? key : undefined)
}

function readValue(
  param: Param<unknown>,
  field: EntryField,
  options: LoadOptions,
  fail: (message: string) => void,
): unknown {
  const value = param.secret ? resolveSecret(field, options, fail) : field.value
  if (value === undefined) return undefined
  const read = param.read(value)
  if (param.path && typeof read === 'string') return absolutePath(read, options.userPath ?? options.base)
  if (read === undefined) {
    fail(`Expected \`${field.key}\` to be ${param.form}, got ${param.secret ? 'something else' : show(field.value)}`)
  }
  return read
}

/** A secret may stand in the file, or the file says where it stands: `{env: HUB_TOKEN}`, `{file: /run/secrets/hub}`. */
function resolveSecret(field: EntryField, options: LoadOptions, fail: (message: string) => void): unknown {
  const { value } = field
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const [[kind, target] = [], ...more] = Object.entries(value)
  if (more.length > 0 || typeof target !== 'string' || (kind !== 'env' && kind !== 'file')) {
    fail(`Expected \`${field.key}\` to be a text, {env: VARIABLE} or {file: PATH}`)
    return undefined
  }
  if (kind === 'env') {
    const found = options.env[target]
    if (found === undefined || found === '') fail(`\`${field.key}\` asks for the variable ${target}, which is not set`)
    return found === '' ? undefined : found
  }
  try {
    return readFileSync(target, 'utf8').trim()
  } catch (error) {
    fail(`\`${field.key}\` asks for the file \`${target}\`: ${messageOf(error)}`)
    return undefined
  }
}

function readThresholds(probe: Probe, value: unknown, fail: (message: string) => void): Map<string, Threshold> {
  const found = new Map<string, Threshold>()
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(`Expected \`thresholds\` to be ${commonParams.thresholds.form}, got ${show(value)}`)
    return found
  }
  for (const [metric, limits] of Object.entries(value as Record<string, unknown>)) {
    const base = metric.replace(/_p\d{1,2}$|_max$|_min$/, '')
    if (base !== 'seconds' && !probe.measures.includes(base)) {
      fail(`\`${probe.id}\` measures no \`${metric}\`${nearest(metric, ['seconds', ...probe.measures])}`)
      continue
    }
    const range = (key: 'warn' | 'crit') => {
      const text = (limits as Record<string, unknown> | null)?.[key]
      const read = text === undefined ? undefined : parseRange(text)
      if (text !== undefined && read === undefined) {
        fail(`Expected \`${metric}.${key}\` to be a range such as 10, 10:, ~:10, 10:20 or @10:20, got ${show(text)}`)
      }
      return read
    }
    for (const key of Object.keys((limits ?? {}) as object)) {
      if (key !== 'warn' && key !== 'crit') fail(`Unknown key \`${key}\` of \`${metric}\`; expected warn or crit`)
    }
    found.set(metric, { warn: range('warn'), crit: range('crit') })
  }
  return found
}

/** Shows a value in a message, briefly. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return `\`${text.length > 60 ? `${text.slice(0, 57)}...` : text}\``
}
