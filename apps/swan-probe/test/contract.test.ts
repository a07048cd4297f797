import { expect, test } from 'vitest'

import { starterFile } from '../src/cli/starter.ts'
import { probes } from '../src/probes/registry.ts'
import { planRun } from '../src/runner/plan.ts'
import { configOf } from './config.ts'

const { entries } = configOf(starterFile())

test('every id is unique and every probe has another log file name', () => {
  expect(new Set(probes.map((probe) => probe.id)).size).toBe(probes.length)
  expect(new Set(probes.map((probe) => probe.logName)).size).toBe(probes.length)
})

test.each(probes.map((probe) => [probe.id, probe] as const))('%s keeps the contract of probes', (id, probe) => {
  const entry = entries.find((candidate) => candidate.probe.id === id)
  expect(id).toBe(`${probe.group}.${probe.name}`)
  expect(probe.summary).toMatch(/^[A-Z].*\.$/)
  expect(probe.passes.length).toBeGreaterThan(20)
  for (const [name, param] of Object.entries(probe.params)) {
    expect(param.doc).toMatch(/^[A-Z].*\.$/)
    expect(param.secret).toBe(name === 'token')
  }
  const optional = Object.values(probe.params).filter((param) => !param.required)
  // A default is a value that the file could give.
  expect(optional.map((param) => param.read(param.fallback))).toEqual(optional.map((param) => param.fallback))
  const spellings = Object.entries(probe.params).flatMap(([name, { aliases }]) => [name, ...aliases])
  expect(new Set(spellings).size).toBe(spellings.length)
  expect(probe.timeLimit(entry?.values ?? {})).toBeGreaterThan(0)
  for (const place of probe.places?.(entry?.values ?? {}) ?? []) expect(place).toMatch(/^\//)
  for (const measure of probe.measures) expect(measure).toMatch(/^[a-z]+(_[a-z]+)*$/)
})

test('no order of any set of probes is a circle', () => {
  for (const mode of ['active', 'delete']) {
    const nodes = planRun(configOf(starterFile().replaceAll('mode: active', `mode: ${mode}`)).entries)
    const open = new Map(nodes.map((node) => [node.id, new Set(node.after)]))
    while (open.size > 0) {
      const free = [...open].filter(([, after]) => after.size === 0).map(([id]) => id)
      expect(free.length).toBeGreaterThan(0)
      for (const id of free) open.delete(id)
      for (const after of open.values()) for (const id of free) after.delete(id)
    }
  }
})
