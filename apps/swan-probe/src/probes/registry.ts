import { cvmfsProbes } from './cvmfs/index.ts'
import { databaseProbes } from './database/index.ts'
import { hubProbes } from './jupyterhub-api/index.ts'
import type { Group, Probe } from './probe.ts'
import { storageProbes } from './storage/index.ts'
import { dockerProbes } from './user-docker/index.ts'

/** Every probe, in the order in which they are listed. */
export const probes: readonly Probe[] = [
  ...storageProbes,
  ...cvmfsProbes,
  ...hubProbes,
  ...databaseProbes,
  ...dockerProbes,
]

/** Groups with the spellings that the original's documents and command line use. */
export const groupSpellings: Readonly<Record<string, Group>> = {
  storage: 'storage',
  cvmfs: 'cvmfs',
  CVMFS: 'cvmfs',
  jupyterhub_api: 'jupyterhub_api',
  'jupyterhub-api': 'jupyterhub_api',
  database: 'database',
  user_docker: 'user_docker',
  'user-docker': 'user_docker',
}

/** Finds a probe by its group and any spelling of its name. */
export function findProbe(group: Group, spelling: string): Probe | undefined {
  return probes.find(
    (probe) => probe.group === group && (probe.name === spelling || probe.aliases?.includes(spelling) === true),
  )
}
