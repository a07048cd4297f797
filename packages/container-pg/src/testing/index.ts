export { databasePool, type DatabasePool, type DatabasePoolOptions, type TestDatabase } from './database-pool.ts'
export { hashFiles } from './hash-files.ts'
