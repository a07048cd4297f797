declare module 'vitest' {
  interface ProvidedContext {
    /** Administrator's address of the Postgres server of this project's run; make your own database or schema in it. */
    postgresUrl: string
    /** Address of the Redis server of this project's run, `undefined` when `redis-server` is not installed. */
    redisUrl: string | undefined
  }
}

export type {}
