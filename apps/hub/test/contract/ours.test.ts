import { describe } from 'vitest'

import { FAKE_SERVER } from '../support/jupyterhub.ts'
import { startHub } from '../support/running-hub.ts'
import { contractSuite } from './suite.ts'

describe('the REST contract, ours', () => {
  const start = () =>
    startHub({
      spawner: { command: FAKE_SERVER, slow_spawn_timeout: 2.5, start_timeout: 6, interrupt_timeout: 5 },
      limits: { named_servers: 2, concurrent_spawns: 10 },
      roles: [{ name: 'names', scopes: ['list:users', 'read:users:name'] }],
      services: [
        { name: 'powerless', api_token: 'powerless-token-0123456789abcdef' },
        { name: 'reader', api_token: 'reader-token-0123456789abcdef0123', roles: ['names'] },
        { name: 'usher', api_token: 'usher-token-0123456789abcdef0123', scopes: ['admin:users'] },
      ],
    })
  contractSuite(start, ({ ours }) => ours)
})
