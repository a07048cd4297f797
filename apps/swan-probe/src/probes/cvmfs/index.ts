import type { Probe } from '../probe.ts'
import { cvmfsMount } from './mount.ts'
import { cvmfsThroughput } from './throughput.ts'
import { ttfb } from './ttfb.ts'

export const cvmfsProbes: readonly Probe[] = [cvmfsMount, ttfb, cvmfsThroughput]
