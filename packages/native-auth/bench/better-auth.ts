import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import Database from 'better-sqlite3'

/** Signs somebody up with better-auth on a SQLite file of its own; returns its session check, by cookie. */
export async function openBetterAuth(file: string): Promise<() => Promise<unknown>> {
  const database = new Database(file)
  database.pragma('journal_mode = WAL')
  const options = {
    database,
    secret: 'a secret of at least thirty-two characters',
    baseURL: 'http://127.0.0.1',
    emailAndPassword: { enabled: true },
    logger: { disabled: true },
    telemetry: { enabled: false },
  } as const
  const { runMigrations } = await getMigrations(options)
  await runMigrations()
  const auth = betterAuth(options)
  const response = await auth.api.signUpEmail({
    body: { name: 'Ann', email: 'ann@example.org', password: 'staple battery 3' },
    asResponse: true,
  })
  const cookie = response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const headers = new Headers({ cookie })
  return async () => {
    const session = await auth.api.getSession({ headers })
    if (session === null) throw new Error('better-auth does not know its own session')
  }
}
