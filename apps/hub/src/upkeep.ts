import { reasonOf } from './errors.ts'
import type { Hub } from './hub.ts'
import { deleteExpired } from './store/tokens.ts'

/** How often expired rows are removed, in milliseconds: hourly, as JupyterHub. They open nothing any more meanwhile. */
const EVERY_MS = 3_600_000

/** Removes what has expired, now and again every hour until the signal. Resolves after the first time; never rejects. */
export async function startUpkeep(hub: Pick<Hub, 'db' | 'now' | 'log'>, signal: AbortSignal): Promise<void> {
  const tidy = () =>
    deleteExpired(hub.db, hub.now()).catch((error: unknown) => {
      hub.log('warn', 'expired tokens could not be removed', { reason: reasonOf(error) })
    })
  await tidy()
  if (signal.aborted) return
  const timer = setInterval(() => void tidy(), EVERY_MS)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer))
}
