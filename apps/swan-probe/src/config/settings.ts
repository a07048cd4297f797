import path from 'node:path'

import type { Config, Entry, HealthSet, HealthSetName, Output, WatchSettings } from './config.ts'
import { count, flag, type Param, port, seconds, text, names } from './params.ts'
import type { YamlReader } from './reader.ts'

type YamlNode = Parameters<YamlReader['fields']>[0]

/** Reads the `output` part. Its `grafana` never did anything but print; it is read over. */
export function readOutput(reader: YamlReader, node: YamlNode, base: string): Output {
  const parts = new Map(reader.fields(node, '`output`').map((field) => [field.key, field]))
  for (const [key, field] of parts) {
    if (!['logfile', 'stdout', 'grafana'].includes(key)) {
      reader.complain(field.at, `Unknown key \`${key}\` in \`output\`; expected logfile, stdout or grafana`)
    }
  }
  const read = readFields(reader, parts.get('logfile')?.value ?? null, '`output.logfile`', {
    logging: flag('Write log files.', { fallback: false }),
    filepath: text('Folder of the log files.', { fallback: '' }),
  })
  return { logging: read.logging, logFolder: path.resolve(base, read.filepath === '' ? 'logs' : read.filepath) }
}

const createId = 'jupyterhub_api.create_session'
const stopId = 'jupyterhub_api.stop_session'

const whole = (fallback: number) => count('', { fallback })
const wholeSeconds = (fallback: number): Param<number> => ({
  ...seconds('', { fallback }),
  form: 'whole seconds from 1 to 86400',
  read: (value) => {
    const read = seconds('').read(value)
    return Number.isInteger(read) ? read : undefined
  },
})
const zeroOrMore: Param<number> = {
  ...seconds('', { fallback: 0 }),
  form: 'seconds from 0',
  read: (value) => (value === 0 || value === '0' ? 0 : seconds('').read(value)),
}

/** Kubernetes' fields and defaults. https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes */
const healthParams = {
  probes: names(''),
  initialDelaySeconds: zeroOrMore,
  periodSeconds: wholeSeconds(10),
  timeoutSeconds: wholeSeconds(1),
  successThreshold: whole(1),
  failureThreshold: whole(3),
}

/** Reads the `health` part. */
export function readHealth(reader: YamlReader, node: YamlNode, entries: readonly Entry[]): Config['health'] {
  const health: Partial<Record<HealthSetName, HealthSet>> = {}
  for (const field of reader.fields(node, '`health`')) {
    if (field.key !== 'startup' && field.key !== 'liveness' && field.key !== 'readiness') {
      reader.complain(field.at, `Unknown health set \`${field.key}\`; expected startup, liveness or readiness`)
      continue
    }
    const set = readFields(reader, field.value, `\`health.${field.key}\``, healthParams)
    if (field.key !== 'readiness' && set.successThreshold !== 1) {
      reader.complain(field.at, `Expected \`successThreshold\` of ${field.key} to be 1, as in Kubernetes`)
    }
    for (const id of set.probes ?? []) {
      if (!entries.some((entry) => entry.probe.id === id)) {
        reader.complain(field.at, `\`health.${field.key}\` names \`${id}\`, which \`tests\` does not have`)
      }
    }
    if (set.probes?.includes(createId) === true && !set.probes.includes(stopId)) {
      reader.complain(field.at, `\`health.${field.key}\` starts sessions again and again: add \`${stopId}\` to it`)
    }
    health[field.key] = set
  }
  return health
}

const jitter: Param<number> = {
  ...zeroOrMore,
  form: 'a part from 0 to 1',
  fallback: 0.1,
  read: (value) => (typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined),
}

/** Reads the `watch` part. */
export function readWatch(reader: YamlReader, node: YamlNode): WatchSettings {
  const read = readFields(reader, node, '`watch`', {
    host: text('', { fallback: '127.0.0.1' }),
    port: port('', { fallback: 9470 }),
    every: seconds('', { fallback: 60 }),
    jitter,
    failureThreshold: whole(1),
    successThreshold: whole(1),
  })
  const { every, ...rest } = read
  return { ...rest, everySeconds: every }
}

function readFields<P extends Readonly<Record<string, Param<unknown>>>>(
  reader: YamlReader,
  node: YamlNode,
  what: string,
  params: P,
): { [K in keyof P]: P[K] extends Param<infer T> ? T : never } {
  const values: Record<string, unknown> = {}
  for (const field of reader.fields(node, what)) {
    const param = Object.hasOwn(params, field.key) ? params[field.key] : undefined
    if (param === undefined) {
      reader.complain(field.at, `Unknown key \`${field.key}\` in ${what}; expected ${Object.keys(params).join(', ')}`)
      continue
    }
    values[field.key] = param.read(reader.plain(field.value))
    if (values[field.key] === undefined)
      reader.complain(field.value ?? field.at, `Expected \`${field.key}\` to be ${param.form}`)
  }
  for (const [key, param] of Object.entries(params)) {
    if (key in values) continue
    if (param.required && node !== null) reader.complain(node, `${what} needs \`${key}\``)
    values[key] = param.fallback
  }
  return values as { [K in keyof P]: P[K] extends Param<infer T> ? T : never }
}
