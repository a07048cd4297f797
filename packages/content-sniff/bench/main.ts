// Accuracy and speed beside named peers in the same run.
// Usage: pnpm --filter @org/content-sniff bench [--office]; it adds LibreOffice, half a minute.
import { parseArgs } from 'node:util'

import { binarySamples } from '../test/corpus/binary-samples.ts'
import { containerSamples } from '../test/corpus/container-samples.ts'
import { encodedSamples } from '../test/corpus/encoders.ts'
import { textSamples } from '../test/corpus/text-samples.ts'
import { accuracy } from './accuracy.ts'
import { headSpeed } from './speed.ts'

const { values } = parseArgs({ options: { office: { type: 'boolean', default: false } } })
const encoded = await encodedSamples(
  values.office ? ['pictures', 'media', 'archives', 'office'] : ['pictures', 'media', 'archives'],
)
const samples = [...textSamples(), ...containerSamples(), ...binarySamples(), ...encoded]

console.log('files of real encoders only')
await accuracy(encoded)
console.log('\nwith those made for the tests')
await accuracy(samples)
await headSpeed(samples)
