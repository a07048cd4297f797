import { defineJob, unchecked } from '@org/task-context'

import type { Change } from '../resources/resource.ts'

/** Payload of a job whose state clients can see at `/v1/tasks/{id}`. */
export interface Tracked {
  readonly taskId: number
}

/** Packs an event into the file of an export. */
export const exportEvent = defineJob({
  name: 'event.export',
  schema: unchecked<Tracked & { readonly exportId: number }>(),
  timeoutMs: 60_000,
})

/** Names of the sizes; the file of each is the original's key, the name and `.webp`. */
export const imageSizes = ['large', 'thumbnail', 'icon'] as const

/** Makes the sizes of an uploaded image. */
export const resizeImage = defineJob({
  name: 'upload.resize',
  schema: unchecked<Tracked & { readonly uploadId: number }>(),
  timeoutMs: 60_000,
})

/** Brings the search index of an event up to date. */
export const indexEvent = defineJob({
  name: 'event.index',
  schema: unchecked<{ readonly eventId: number }>(),
  timeoutMs: 30_000,
})

/** Tells the organisers of an event what happened to it. */
export const mailOrganisers = defineJob({
  name: 'event.mail',
  schema: unchecked<{ readonly eventId: number; readonly change: Change }>(),
  timeoutMs: 30_000,
  attempts: 5,
})

/** Removes the files of an upload that was deleted for good. */
export const removeFiles = defineJob({
  name: 'upload.remove',
  schema: unchecked<{ readonly keys: readonly string[] }>(),
  timeoutMs: 60_000,
  attempts: 10,
})

/** Blocks, unblocks or removes the account of a user. */
export const userChanged = defineJob({
  name: 'user.changed',
  schema: unchecked<{ readonly userId: number; readonly change: Change }>(),
  timeoutMs: 30_000,
  attempts: 10,
})

/** Every night: empties the trash of what lay there longer than its retention, and forgets what has expired. */
export const pruneTrash = defineJob({
  name: 'trash.prune',
  schema: unchecked<Record<never, never>>(),
  timeoutMs: 600_000,
})
