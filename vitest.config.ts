import { globSync, readFileSync, existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { defineConfig } from 'vitest/config'

interface Manifest {
  readonly name: string
  /** Servers that a project's tests share; each project gets its own, on its own port. */
  readonly testServices?: readonly ('postgres' | 'redis')[]
}

const root = import.meta.dirname
const setup = (service: string) => path.join(root, `tooling/services/src/${service}.global.ts`)

export default defineConfig({
  ssr: { resolve: { conditions: ['@org/source', 'node', 'development|production'] } },
  test: {
    // Most tests wait for a container, a browser or a lock: two cores carry three files at once.
    maxWorkers: Math.max(3, availableParallelism()),
    // A limit is there to end what hangs. What waits for another program does not fail because the machine is busy.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    restoreMocks: true,
    reporters: ['default', path.join(root, 'tooling/services/src/reporter.ts')],
    coverage: {
      // Below the root of each project.
      include: ['src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-d.ts'],
      reporter: ['json-summary', 'text-summary'],
    },
    projects: globSync(['{packages,apps,tooling}/*', 'docs'], { cwd: root })
      .filter((dir) => existsSync(path.join(root, dir, 'package.json')))
      .sort()
      .map((dir) => {
        const manifest = JSON.parse(readFileSync(path.join(root, dir, 'package.json'), 'utf8')) as Manifest
        return {
          extends: true as const,
          root: path.join(root, dir),
          test: {
            name: manifest.name,
            include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
            globalSetup: (manifest.testServices ?? []).map(setup),
            typecheck: { enabled: true, include: ['src/**/*.test-d.ts'] },
          },
        }
      }),
  },
})
