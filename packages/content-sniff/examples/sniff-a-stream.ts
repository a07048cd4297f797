import { Readable } from 'node:stream'

import { sniffStream } from '@org/content-sniff'

const source = Readable.from([Buffer.from('id,name\n1,Anna\n'), Buffer.from('2,=cmd|calc\n')])

const { result, stream, complete } = await sniffStream(source)
console.log(result.mime, result.flags)

let size = 0
for await (const chunk of stream) size += (chunk as Uint8Array).length
console.log(size, (await complete).mime)
