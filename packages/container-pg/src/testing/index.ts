export { databasePool, type DatabasePool, type DatabasePoolOptions, type TestDatabase } from './database-pool.ts'
export { dockerCleanup, type DockerCleanup, type DockerCleanupOptions } from './docker-cleanup.ts'
export { hashFiles } from './hash-files.ts'
export { type DatabaseContext, withDatabase } from './with-database.ts'
