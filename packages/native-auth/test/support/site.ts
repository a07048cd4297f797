import { createNativeAuth, type NativeAuth, type NativeAuthOptions } from '../../src/index.ts'
import { nodeRsHasher } from '../../src/node-rs.ts'
import { Browser } from './browser.ts'
import type { TestDatabase } from './databases.ts'

export const SECRET = 'a secret of at least thirty-two characters'
export const ADMIN = { username: 'root', password: 'correct horse 17' }
export const ANN = { username: 'ann', password: 'staple battery 3' }

/** A clock that tests turn on. */
export class Clock {
  at = Date.UTC(2030, 0, 1)
  readonly now = (): number => this.at

  pass(seconds: number): void {
    this.at += seconds * 1000
  }
}

/** An authenticator on a test database, under `/hub`, with the fast hasher and a clock of the test's own. */
export class TestSite {
  readonly clock: Clock = new Clock()
  readonly errors: unknown[] = []
  readonly auth: NativeAuth<Record<string, never>>

  constructor(database: TestDatabase, options: Partial<NativeAuthOptions<unknown, Record<string, never>>> = {}) {
    this.auth = createNativeAuth({
      db: database.db,
      secret: SECRET,
      basePath: '/hub',
      now: this.clock.now,
      onError: (error) => this.errors.push(error),
      ...options,
      passwords: { hasher: nodeRsHasher(), ...options.passwords },
    })
  }

  /** A browser at an address; without one no limit by client applies. */
  browser(ip?: string): Browser {
    return new Browser(this.auth, ip)
  }

  /** A browser that somebody has logged in with. */
  async loggedIn(as: { username: string; password: string }, ip?: string): Promise<Browser> {
    const browser = this.browser(ip)
    const response = await browser.json('POST', '/hub/login', as)
    if (response.status !== 200) throw new Error(`${as.username} cannot log in: ${response.status}`)
    return browser
  }
}

/** A site with its tables, an administrator and Ann, who may log in. */
export async function openSite(
  database: TestDatabase,
  options: Partial<NativeAuthOptions<unknown, Record<string, never>>> = {},
): Promise<TestSite> {
  const site = new TestSite(database, options)
  await site.auth.migrate()
  await site.auth.accounts.bootstrapAdmin(ADMIN)
  await site.auth.accounts.create(ANN)
  return site
}
