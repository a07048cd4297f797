import type { Probe } from '../probe.ts'
import { docker } from './docker.ts'

export const dockerProbes: readonly Probe[] = [docker]
