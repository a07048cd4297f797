import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'

import { fromBuffer, type ZipFile } from 'yauzl'

/** Reads a zip with a parser of another author: contents by name. */
export async function unzip(bytes: Buffer): Promise<Map<string, string>> {
  const open = promisify<Buffer, { lazyEntries: boolean }, ZipFile>(fromBuffer)
  const zip = await open(bytes, { lazyEntries: true })
  const files = new Map<string, string>()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  zip.on('entry', (entry: { fileName: string }) => {
    zip.openReadStream(entry as never, (error, stream) => {
      if (error !== null) return reject(error)
      void buffer(stream).then((content) => {
        files.set(entry.fileName, content.toString('utf8'))
        zip.readEntry()
      }, reject)
    })
  })
  zip.on('end', resolve)
  zip.on('error', reject)
  zip.readEntry()
  await promise
  return files
}
