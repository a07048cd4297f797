import { existsSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

import { ensurePostgresImage } from '@org/services'

import { createProvisioner } from '../src/index.ts'
import { dockerCleanup } from '../src/testing/index.ts'
import { benchClone } from './clone.ts'
import { benchEmbedded } from './embedded.ts'
import { benchLateness, benchReady } from './ready.ts'

// `pnpm bench --rounds 7 --only ready,clone,embedded`: each figure beside a peer in the same run; ratios are to the first line
// of their table.
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    only: { type: 'string', default: 'ready,clone,embedded' },
    quick: { type: 'boolean', default: false },
  },
})
const rounds = values.quick ? 1 : Number(values.rounds)
const parts = new Set(values.only.split(','))
console.log(`Node ${process.version}, ${cpus().length} processors (${cpus()[0]?.model.trim() ?? 'unknown'})`)
if (parts.has('ready')) {
  const image = await ensurePostgresImage()
  await using cleanup = await dockerCleanup({ suite: 'container-pg-bench' })
  const root = await cleanup.folder()
  const provisioner = await createProvisioner({ storageRoot: root, image, labels: cleanup.labels })
  await benchReady(provisioner, root, image, cleanup.labels, rounds)
  await benchLateness(provisioner, rounds)
}
if (parts.has('clone')) {
  for (const where of ['/dev/shm', tmpdir()].filter((folder) => existsSync(folder))) await benchClone(where, rounds)
}
if (parts.has('embedded')) await benchEmbedded(rounds)
