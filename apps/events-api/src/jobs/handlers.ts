import type { Handler } from '@org/task-context'

import type { Change } from '../resources/resource.ts'
import type { Service } from '../service.ts'
import type { Changed } from '../signals.ts'
import { emptyTrash } from '../store/trash.ts'
import {
  exportEvent,
  indexEvent,
  mailOrganisers,
  pruneTrash,
  removeFiles,
  resizeImage,
  userChanged,
} from './definitions.ts'
import { packEvent } from './export-event.ts'
import { followUser, removeAccounts } from './follow-user.ts'
import { removeOrphans } from './remove-orphans.ts'
import { updateIndex } from './index-event.ts'
import { sendToOrganisers } from './mail-organisers.ts'
import { makeSizes } from './resize-image.ts'
import { JobError, track } from './tracking.ts'

/** An upload stores its file before its row; by this age the row is there, or will never be. */
const ORPHAN_AGE_MS = 3_600_000

/** A job that is delivered twice is so within moments; the memory of it may go after a week. */
const LEDGER_AGE_MS = 7 * 86_400_000

/** What a worker of this service can do. */
export function createHandlers(service: Service): Handler[] {
  const { tasks, db, registry } = service
  return [
    tasks.handle(exportEvent, (payload, { db: tx, job }) => {
      const { exportId } = payload
      const pack = async () => {
        const row = await tx.selectFrom('exports').select('event_id').where('id', '=', exportId).executeTakeFirst()
        if (row === undefined) throw new JobError('The export is gone')
        const file = Buffer.from(await packEvent(tx, registry, row['event_id'] as number))
        const url = `/v1/exports/${exportId}/file`
        await tx.updateTable('exports').set({ state: 'ready', url, file }).where('id', '=', exportId).execute()
        return url
      }
      const giveUp = () => db.updateTable('exports').set({ state: 'failed' }).where('id', '=', exportId).execute()
      return track(db, tx, payload, job, pack, giveUp)
    }),
    tasks.handle(resizeImage, (payload, { db: tx, job, signal }) =>
      track(db, tx, payload, job, () => makeSizes(tx, service.uploaders.images, payload.uploadId, signal)),
    ),
    tasks.handle(indexEvent, ({ eventId }, { db: tx }) => updateIndex(tx, eventId)),
    tasks.handle(mailOrganisers, (payload, { db: tx }) => sendToOrganisers(tx, service.mailer, payload)),
    tasks.handle(
      removeFiles,
      async ({ keys }) => {
        for (const key of keys) await service.uploaders.files.delete(key)
      },
      { database: 'none' },
    ),
    tasks.handle(userChanged, (payload) => followUser(service.accounts, db, payload), { database: 'none' }),
    tasks.handle(
      pruneTrash,
      async (_, { signal }) => {
        await emptyTrash(db, service.softDeletion, signal)
        await removeAccounts(service.accounts, db, signal)
        await removeOrphans(service, ORPHAN_AGE_MS, signal)
        await service.accounts.prune()
        await tasks.pruneLedger(LEDGER_AGE_MS)
      },
      { database: 'none' },
    ),
  ]
}

/**
 * Connects jobs to signals. The receivers only enqueue, and do so within the transaction that made the change: a job of
 * a rolled-back request never runs, and a crash after the commit loses none.
 */
export function connectJobs(service: Service): void {
  const { signals, tasks, accounts, db } = service
  for (const signal of [signals.event, signals.session, signals.speaker, signals.microlocation]) {
    signal.connect(({ eventId }) => (eventId === undefined ? undefined : tasks.enqueue(indexEvent, { eventId })), {
      delivery: 'sync',
    })
  }
  // At once where that succeeds; the job sees to it where the process ends between the commit and this.
  const moved = (work: (payload: { readonly userId: number; readonly change: Change }) => Promise<unknown>) => {
    return ({ id, change }: Changed) => (change === 'updated' ? undefined : work({ userId: id, change }))
  }
  signals.user.connect(moved((payload) => followUser(accounts, db, payload)))
  signals.user.connect(
    moved((payload) => tasks.enqueue(userChanged, payload)),
    { delivery: 'sync' },
  )
  signals.event.connect(({ id, change }) => tasks.enqueue(mailOrganisers, { eventId: id, change }), {
    delivery: 'sync',
  })
}
