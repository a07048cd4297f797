export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './server.ts'
export { ContainerPgError, type ContainerPgErrorCode } from '../errors.ts'
