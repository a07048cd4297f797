// Accuracy and speed beside named peers in the same run.
// Usage: pnpm --filter @org/content-sniff bench [--office] [--only accuracy,upload] [--megabytes N] [--pairs N] [--folder PATH]
// --office adds LibreOffice, half a minute.
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

import { binarySamples } from '../test/corpus/binary-samples.ts'
import { containerSamples } from '../test/corpus/container-samples.ts'
import { encodedSamples } from '../test/corpus/encoders.ts'
import { textSamples } from '../test/corpus/text-samples.ts'
import { accuracy } from './accuracy.ts'
import { headSpeed } from './speed.ts'
import { uploadOverhead } from './upload.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'accuracy,upload' },
    office: { type: 'boolean', default: false },
    megabytes: { type: 'string', default: '256' },
    pairs: { type: 'string', default: '21' },
    folder: { type: 'string', default: tmpdir() },
  },
})
const wanted = new Set(values.only.split(','))

if (wanted.has('accuracy')) {
  const kinds = ['pictures', 'media', 'archives'] as const
  const encoded = await encodedSamples(values.office ? [...kinds, 'office'] : kinds)
  const samples = [...textSamples(), ...containerSamples(), ...binarySamples(), ...encoded]
  if (!values.quick) {
    console.log('files of real encoders only')
    await accuracy(encoded)
  }
  console.log('\nwith those made for the tests')
  await accuracy(samples)
  await headSpeed(samples, values.quick ? 1 : 41)
}
if (wanted.has('upload')) {
  const size = values.quick
    ? { megabytes: 16, pairs: 1 }
    : { megabytes: Number(values.megabytes), pairs: Number(values.pairs) }
  await uploadOverhead({ ...size, into: values.folder })
}
