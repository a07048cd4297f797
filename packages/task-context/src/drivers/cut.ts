/** What this needs of BullMQ's connection, which it does not promise; `dead-redis.test.ts` watches it. */
interface Connection {
  readonly _client?: Client
  readonly extraOptions?: { readonly shared?: boolean }
}

interface Client {
  readonly status: string
  readonly connect: () => Promise<unknown>
  readonly disconnect: () => void
}

/**
 * Ends the connections of a Redis backend at once; what they have not answered rejects. Spares those that the
 * application brought along.
 *
 * BullMQ ends each with QUIT, which waits in line for a server that may never come back.
 */
export function cutRedis(backend: unknown): void {
  const { blockingConnection, connection } = backend as Readonly<Record<string, Connection | undefined>>
  for (const one of [blockingConnection, connection]) {
    const client = one?._client
    if (client === undefined || one?.extraOptions?.shared === true) continue
    // Between two tries ioredis would forget the third, and with it all who wait for an answer.
    if (client.status === 'reconnecting') client.connect().catch(() => {})
    client.disconnect()
  }
}
