import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { runServer } from 'verdaccio'

/** A registry of one's own on a free loopback port; everything else is fetched through it. */
export interface Registry extends AsyncDisposable {
  readonly url: string
}

/**
 * Starts verdaccio with an empty store for `@org/*`, so that no published version can stand in for a packed one.
 *
 * @param upstream - Registry that all other packages come from.
 */
export async function startRegistry(upstream: string): Promise<Registry> {
  const dir = mkdtempSync(path.join(tmpdir(), 'registry-'))
  const app = (await runServer({
    storage: path.join(dir, 'storage'),
    self_path: dir,
    auth: { htpasswd: { file: path.join(dir, 'htpasswd'), max_users: -1 } },
    uplinks: { upstream: { url: upstream, maxage: '1h' } },
    packages: {
      '@org/*': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'upstream' },
    },
    log: { type: 'stdout', format: 'pretty', level: 'fatal' },
  } as unknown as Parameters<typeof runServer>[0])) as Server
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
