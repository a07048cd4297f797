export { S3Store, type S3StoreOptions } from './stores/s3.ts'
export type { PresignedPost, PresignGetOptions, PresignPostOptions, PresignPutOptions } from './stores/s3-presign.ts'
