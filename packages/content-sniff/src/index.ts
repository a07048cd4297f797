export { SniffError, type SniffErrorCode } from './errors.ts'
export type { DeepDetector, SniffOptions } from './options.ts'
export { sniff, type SniffedStream, sniffStream } from './sniff.ts'
export type { ByteStream, SniffInput } from './source/open.ts'
export type { Confidence, Family, SniffFlag, SniffResult, SniffSource } from './types/result.ts'
export { canonicalType, describeType, knownTypes, type TypeEntry } from './types/table.ts'

export { INERT_INLINE_TYPES } from './policy/inline.ts'
export { isActive } from './types/active.ts'
export { checkKey } from './policy/keys.ts'
export { decodeMetadata, encodeMetadata } from './policy/metadata.ts'
export { cleanFilename, contentDisposition } from './policy/names.ts'
export type { PolicyMode, UploadPolicy } from './policy/policy.ts'
export { type ServingFacts, type ServingHeaders, servingHeaders } from './policy/serving-headers.ts'
export type { Violation } from './policy/verdict.ts'

export {
  createUploader,
  type PutOptions,
  type Upload,
  type Uploader,
  type UploaderOptions,
  type UploadSource,
  type VerifyOptions,
} from './uploader.ts'
export { fixTypes, type FixEvent, type FixOptions } from './fix.ts'
export { serve, type ServeOptions } from './serve/serve.ts'

export { DiskStore, type DiskStoreOptions } from './stores/disk.ts'
export { MemoryStore, type MemoryStoreOptions } from './stores/memory.ts'
export type {
  ByteRange,
  ListedObject,
  ListOptions,
  ObjectHeaders,
  OpenedObject,
  ReadOptions,
  Store,
  StoreCallOptions,
  StoredObject,
  UpdateOptions,
  WriteOptions,
} from './stores/store.ts'
