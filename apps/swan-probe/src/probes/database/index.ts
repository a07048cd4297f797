import type { Probe } from '../probe.ts'
import { databaseServers } from './servers.ts'
import { databaseSpawners } from './spawners.ts'
import { databaseToken } from './token.ts'

export const databaseProbes: readonly Probe[] = [databaseToken, databaseServers, databaseSpawners]
