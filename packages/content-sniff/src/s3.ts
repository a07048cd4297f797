export { S3Store } from './stores/s3.ts'
export type { S3StoreOptions } from './stores/s3-options.ts'
export type { PresignedPost, PresignGetOptions, PresignPostOptions, PresignPutOptions } from './stores/s3-presign.ts'
