import { readFileSync } from 'node:fs'

import { messageOf, ProbeError } from '../errors.ts'
import type { Group } from '../probes/probe.ts'
import { findProbe, groupSpellings, probes } from '../probes/registry.ts'
import type { Config, Entry } from './config.ts'
import type { LoadOptions } from './load-options.ts'
import { type EntryField, readEntry } from './entry.ts'
import { nearest } from './nearest.ts'
import { YamlReader } from './reader.ts'
import { readHealth, readOutput, readWatch } from './settings.ts'
import { shareTokens } from './tokens.ts'

/**
 * Reads a file of the original framework or of this one.
 *
 * @throws {@link ProbeError} `PROBE_CONFIG` naming every wrong place by line and column.
 */
export function loadConfig(file: string, options: LoadOptions): Config {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ProbeError('PROBE_CONFIG', `Cannot read \`${file}\`: ${messageOf(error)}`, { cause: error })
  }
  return parseConfig(file, text, options)
}

/** Reads the text of a file; see {@link loadConfig}. */
export function parseConfig(file: string, text: string, options: LoadOptions): Config {
  const reader = new YamlReader(file, text)
  const sections = new Map(reader.fields(reader.root, 'the file').map((field) => [field.key, field]))
  for (const field of sections.values()) {
    if (!['tests', 'output', 'health', 'watch'].includes(field.key)) {
      reader.complain(field.at, `Unknown key \`${field.key}\`; expected tests, output, health or watch`)
    }
  }
  const tests = sections.get('tests')
  if (tests === undefined) reader.complain(reader.root, 'Expected a key `tests` with the groups to run')
  const entries = readTests(reader, tests?.value ?? null, options)
  const config: Config = {
    entries,
    output: readOutput(reader, sections.get('output')?.value ?? null, options.base ?? process.cwd()),
    health: readHealth(reader, sections.get('health')?.value ?? null, entries),
    watch: readWatch(reader, sections.get('watch')?.value ?? null),
  }
  reader.finish()
  return config
}

function readTests(reader: YamlReader, node: Parameters<YamlReader['fields']>[0], options: LoadOptions): Entry[] {
  const entries: Entry[] = []
  for (const groupField of reader.fields(node, '`tests`')) {
    const group: Group | undefined = Object.hasOwn(groupSpellings, groupField.key)
      ? groupSpellings[groupField.key]
      : undefined
    if (group === undefined) {
      const known = [...new Set(Object.values(groupSpellings))]
      reader.complain(groupField.at, `Unknown group \`${groupField.key}\`; expected one of ${known.join(', ')}`)
      continue
    }
    for (const field of reader.fields(groupField.value, `\`${groupField.key}\``)) {
      const probe = findProbe(group, field.key)
      if (probe === undefined) {
        const known = probes.filter((candidate) => candidate.group === group).map((candidate) => candidate.name)
        reader.complain(field.at, `Unknown probe \`${field.key}\` in \`${group}\`${nearest(field.key, known)}`)
        continue
      }
      const given: EntryField[] = reader.fields(field.value, `\`${probe.id}\``).map((item) => ({
        key: item.key,
        value: item.key === 'thresholds' ? reader.typed(item.value) : reader.plain(item.value),
        complain: (message, place) => reader.complain(place === 'key' ? item.at : (item.value ?? item.at), message),
      }))
      const entry = readEntry(probe, given, options, (message) => reader.complain(field.at, message))
      if (entry !== undefined) entries.push(entry)
    }
  }
  return shareTokens(entries)
}
