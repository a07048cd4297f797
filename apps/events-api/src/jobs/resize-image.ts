import type { Uploader } from '@org/content-sniff'
import sharp from 'sharp'

import type { Tx } from '../resources/resource.ts'
import type { imageSizes } from './definitions.ts'
import { JobError } from './tracking.ts'

/**
 * Widths and heights in pixels; a missing height keeps the shape.
 *
 * @see https://github.com/fossasia/open-event-server (event image sizes: large, thumbnail, icon)
 */
const sizes: Readonly<Record<(typeof imageSizes)[number], { readonly width: number; readonly height: number }>> = {
  large: { width: 1300, height: 500 },
  thumbnail: { width: 500, height: 200 },
  icon: { width: 75, height: 30 },
}

/** Most pixels that are decoded: a bomb is refused, a photograph is not. */
const MAX_PIXELS = 50_000_000

/** Makes the sizes of an uploaded image, always WebP without metadata. Safe to repeat: keys follow from the original. */
export async function makeSizes(tx: Tx, uploader: Uploader, uploadId: number, signal: AbortSignal): Promise<string> {
  const upload = await tx.selectFrom('uploads').select(['key']).where('id', '=', uploadId).executeTakeFirst()
  if (upload === undefined) throw new JobError('The upload is gone')
  const key = upload['key'] as string
  const opened = await uploader.store.read(key, { signal })
  if (opened === undefined) throw new JobError('The file is gone')
  const original = Buffer.from(await new Response(opened.body).arrayBuffer())
  const addresses: Record<string, string> = {}
  for (const [name, { width, height }] of Object.entries(sizes)) {
    const bytes = await resize(original, width, height)
    const resized = `${key}.${name}.webp`
    await uploader.put(bytes, { key: resized, overwrite: true, declaredType: 'image/webp', signal })
    addresses[name] = `/files/${resized}`
  }
  await tx
    .updateTable('uploads')
    .set({ sizes: JSON.stringify(addresses) })
    .where('id', '=', uploadId)
    .execute()
  return addresses['large'] ?? ''
}

async function resize(original: Buffer, width: number, height: number): Promise<Buffer> {
  try {
    return await sharp(original, { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .rotate()
      .resize(width, height, { fit: 'inside', withoutEnlargement: true })
      .webp()
      .toBuffer()
  } catch (error) {
    throw new JobError('The image cannot be read', { cause: error })
  }
}
