import Docker from 'dockerode'

import { dockerCleanup } from '../../src/testing/index.ts'

// A program of its own, to be killed: makes a volume and a folder, tells the folder and waits.
const run = await dockerCleanup({ suite: process.argv[2] ?? '' })
await new Docker().createVolume({ Labels: run.labels })
console.log(await run.folder())
setInterval(() => {}, 1000)
