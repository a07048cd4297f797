import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'

import { problem } from '../jsonapi/errors.ts'

/** A file on its way in. */
export interface IncomingFile {
  /** To be read now: what comes behind it in the request waits for it. */
  readonly bytes: AsyncIterable<Uint8Array>
  readonly filename: string | undefined
  readonly declaredType: string | undefined
}

/** Files in one request. */
const MAX_FILES = 10

/** What is no file is not looked at, so there is no need for much of it. */
const LIMITS = { files: MAX_FILES, fields: 20, fieldSize: 16 * 1024, parts: MAX_FILES + 20, headerPairs: 50 }

/**
 * Hands the files of a form over one by one while they arrive, so that none is ever held as a whole.
 *
 * A file that `take` refuses is read to its end all the same: a client that still sends does not hear an answer.
 *
 * @param take - Gets a signal that tells when the rest will not come.
 * @returns what `take` returned, in the order of the form.
 * @throws {@link ApiError} 400 for anything but a whole form with 1 to 10 files, 413 above the limit, 415 for another
 *   type; whatever `take` threw first. What it had taken by then is handed to `giveUp`.
 */
export async function eachFile<Taken>(
  request: Request,
  maxBytes: number,
  take: (file: IncomingFile, signal: AbortSignal) => Promise<Taken>,
  giveUp: (taken: Taken) => Promise<void>,
): Promise<Taken[]> {
  const form = openForm(request)
  const taking: Promise<Taken>[] = []
  const stopped = new AbortController()
  form.on('file', (_, stream, filename, __, type) => {
    stream.on('error', ignore)
    const file = { bytes: bytesOf(stream), filename: filename || undefined, declaredType: declared(type) }
    const taken = take(file, stopped.signal).finally(() => stream.resume())
    taken.catch(ignore)
    taking.push(taken)
  })
  let tooMany = false
  form.on('filesLimit', () => (tooMany = true)).on('partsLimit', () => (tooMany = true))

  const body = bounded(request, maxBytes)
  let failure: unknown
  try {
    await pipeline(body.stream, form)
    if (tooMany || taking.length === 0) {
      failure = problem('invalid_upload', `Expected 1 to ${MAX_FILES} files${tooMany ? ', got more' : ', got none'}`)
    }
  } catch (error) {
    failure = body.exceeded()
      ? tooLarge(maxBytes)
      : problem('invalid_upload', 'Expected a body of multipart/form-data', undefined, { cause: error })
    stopped.abort(failure)
  }
  const settled = await Promise.allSettled(taking)
  failure ??= settled.find((one) => one.status === 'rejected')?.reason
  const taken = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  if (failure === undefined) return taken
  await Promise.allSettled(taken.map(giveUp))
  throw failure
}

function ignore(): void {}

function openForm(request: Request): BusboyInstance {
  const type = request.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data;/i.test(type)) {
    throw problem('unsupported_media_type', 'Expected `Content-Type: multipart/form-data`', { header: 'Content-Type' })
  }
  try {
    return new Busboy({ headers: { 'content-type': type }, limits: LIMITS })
  } catch (error) {
    throw problem(
      'invalid_upload',
      'Expected a boundary in `Content-Type`',
      { header: 'Content-Type' },
      { cause: error },
    )
  }
}

/** Not destroyed by whoever stops reading: the parser would wait for it for ever. */
function bytesOf(stream: BusboyFileStream): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => stream.iterator({ destroyOnReturn: false }) }
}

/** The browser's word for "I do not know" is no claim: holding a file to it would refuse every one. */
function declared(type: string): string | undefined {
  return type === '' || type === 'application/octet-stream' ? undefined : type
}

/** The body of a request, ended by an error once it is longer than announced or allowed. */
function bounded(request: Request, maxBytes: number) {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  let length = 0
  async function* stream(): AsyncGenerator<Uint8Array> {
    for await (const chunk of request.body ?? []) {
      length += chunk.length
      if (length > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  }
  return { stream: Readable.from(stream(), { objectMode: false }), exceeded: () => length > maxBytes }
}

function tooLarge(maxBytes: number) {
  return problem('too_large', `Expected a body of at most ${maxBytes} bytes`, { header: 'Content-Length' })
}
