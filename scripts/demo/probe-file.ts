import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Whose session the probes start and stop at the hub. */
export const probeUser = 'probe'

/**
 * Writes the probes of the demo, in the YAML of the original framework; `scheme` is the one key that is ours, since the
 * original speaks https only.
 *
 * @returns path of the file; the token is read from the variable `PROBE_TOKEN`.
 */
export function writeProbeFile(dataDir: string, hubPort: number): string {
  const workload = path.join(dataDir, 'probe-workload')
  mkdirSync(workload, { recursive: true })
  const hub = { scheme: 'http', hostname: '127.0.0.1', port: String(hubPort), base_path: '', verify: false }
  const session = { ...hub, users: [probeUser], token: { env: 'PROBE_TOKEN' } }
  const database = { path: path.join(dataDir, 'hub', 'jupyterhub.sqlite'), user: probeUser, mode: 'active' }
  const tests = {
    storage: {
      mount_sanity: { mountpoints: [dataDir], timeout: 8 },
      write: { fileSize: '1M', filePath: `${workload}/` },
      exists: { filePath: path.join(workload, '0.txt') },
      delete: { filePath: path.join(workload, '0.txt') },
      throughput: { fileNumber: 3, fileSize: '1M', filePath: `${workload}/` },
      checksum: { fileNumber: 3, fileSize: '1M', filePath: `${workload}/` },
    },
    jupyterhub_api: {
      check_api: { ...hub, token: { env: 'PROBE_TOKEN' } },
      token: session,
      create_session: { ...session, params: {}, delay: 60 },
      check_session: session,
      stop_session: session,
    },
    database: {
      token: { ...database, table_name: 'api_tokens' },
      servers: { ...database, table_name: 'servers' },
      spawners: { ...database, table_name: 'spawners' },
    },
  }
  const file = path.join(dataDir, 'probes.yaml')
  // JSON is YAML too, and needs no quoting rules of our own.
  writeFileSync(file, `${JSON.stringify({ tests }, undefined, 2)}\n`)
  return file
}
