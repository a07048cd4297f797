import type { Service } from '../service.ts'
import { isOurs, originalKey } from '../uploads.ts'

/** Keys that are looked up at a time. */
const BATCH = 500

/**
 * Removes files that no upload names, live or trashed: what a crash between file and row left, and what the trash lost
 * when it emptied itself. Files under names that are not made here stay. Safe to stop and to repeat.
 *
 * @param olderThanMs - Younger files are left alone: their row may be on its way.
 */
export async function removeOrphans(service: Service, olderThanMs: number, signal: AbortSignal): Promise<void> {
  const { store } = service.uploaders.files
  const before = Date.now() - olderThanMs
  let batch: string[] = []
  const flush = async () => {
    if (batch.length === 0) return
    const keys = batch
    batch = []
    const rows = await service.db
      .withoutPlugins()
      .selectFrom('uploads')
      .select('key')
      .where('key', 'in', [...new Set(keys.map(originalKey))])
      .execute()
    const owned = new Set(rows.map((row) => row['key']))
    for (const key of keys) {
      signal.throwIfAborted()
      if (owned.has(originalKey(key))) continue
      const object = await store.head(key, { signal })
      if (object !== undefined && object.lastModified.getTime() <= before) await store.delete(key, { signal })
    }
  }
  for await (const { key } of store.list({ signal })) {
    if (isOurs(key)) batch.push(key)
    if (batch.length === BATCH) await flush()
  }
  await flush()
}
