import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { createUploader, DiskStore, sniff, SniffError } from '@org/content-sniff'

// What is it? Bytes, Blobs, paths, open files and streams, whatever their names say.
const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
const { mime, family, flags } = await sniff(svg)
console.log(mime, family, flags)

// Store it right: under its true type, or not at all.
const root = await mkdtemp(path.join(tmpdir(), 'uploads-'))
const uploads = createUploader({ store: new DiskStore({ root }), policy: { allow: ['image', 'application/pdf'] } })
try {
  await uploads.put(svg, { filename: 'holiday.png', declaredType: 'image/png' })
} catch (error) {
  if (error instanceof SniffError) console.log(error.code)
}

const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')
const { key, headers } = await uploads.put(gif, { filename: '../../träume.gif' })
console.log(headers['content-type'], headers['content-disposition'])

// Serve it safely: a fetch handler with ranges, conditions and headers that keep everything from running.
const response = await uploads.serve(key, new Request('http://localhost/', { headers: { range: 'bytes=0-5' } }))
console.log(response.status, await response.text(), response.headers.get('x-content-type-options'))
