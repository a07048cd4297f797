import { writeFileSync } from 'node:fs'

import type { Reporter, TestModule } from 'vitest/node'

import { needs, type Service, services } from './services.ts'

/** Says in one line each which service was missing and how many tests that left out; ends with the plain count. */
export default class ServicesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    const left = new Map<Service, number>()
    for (const module of modules) {
      // A file that cannot be loaded has no test to fail.
      if (module.state() === 'failed' && module.children.size === 0) count.failed += 1
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state !== 'pending') count[state] += 1
        if (state !== 'skipped') continue
        for (const service of Object.keys(services) as Service[]) {
          if (test.fullName.includes(needs(service))) left.set(service, (left.get(service) ?? 0) + 1)
        }
      }
    }
    for (const [service, tests] of left) {
      console.log(`${service} is missing: ${tests} tests skipped (${services[service].remedy})`)
    }
    const line = `${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`
    console.log(line)
    const file = process.env['TEST_SUMMARY_FILE']
    if (file !== undefined) writeFileSync(file, `${line}\n`)
  }
}
