import type { Probe } from '../probe.ts'
import { checksum } from './checksum.ts'
import { deleteFile } from './delete.ts'
import { exists } from './exists.ts'
import { mount } from './mount.ts'
import { mountSanity } from './mount-sanity.ts'
import { throughput } from './throughput.ts'
import { write } from './write.ts'

export const storageProbes: readonly Probe[] = [mountSanity, mount, write, exists, deleteFile, throughput, checksum]
