export {
  type BackupOptions,
  createProvisioner,
  type Provisioner,
  type ProvisionerOptions,
  type ServerLogOptions,
} from './provisioner.ts'
export type { ServerEvent } from './lifecycle/watch.ts'
export type { DumpManifest } from './postgres/backup.ts'
export type { Server, ServerState } from './lifecycle/view.ts'
export type { ServerSpec } from './lifecycle/spec.ts'
export type { Reconciliation } from './lifecycle/reconcile.ts'
export type { Limits } from './storage/records.ts'
export type { DockerConnection } from './engine/docker.ts'
export { ContainerPgError, type ContainerPgErrorCode, type ContainerPgErrorOptions } from './errors.ts'
export { bearerToken, type ContainerApiAction, type ContainerApiOptions, createContainerApi } from './api/handler.ts'
