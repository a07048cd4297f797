import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Made at the first start and kept beside the demo's state, readable by its owner alone. */
export interface DemoSecrets {
  /** Signs in as `admin`, to the hub and to the events API. */
  readonly adminPassword: string
  /** Signs in as `organiser` to the events API. */
  readonly organiserPassword: string
  /** The probes' own token at the hub. */
  readonly probeToken: string
}

/** Reads the demo's secrets, or makes them; a crash half-way leaves none rather than half of them. */
export function demoSecrets(dataDir: string): DemoSecrets {
  const file = path.join(dataDir, 'secrets.json')
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DemoSecrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secrets: DemoSecrets = {
    adminPassword: randomBytes(12).toString('base64url'),
    organiserPassword: randomBytes(12).toString('base64url'),
    probeToken: randomBytes(32).toString('hex'),
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, JSON.stringify(secrets), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secrets
}
