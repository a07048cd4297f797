import type { Kysely } from 'kysely'

/** Someone who is logged in with a browser. */
interface LoggedIn {
  /** Name of the account, which is the name of the hub's user. */
  readonly name: string
  readonly admin: boolean
  /** Names the login, for revoking what was got in it; not a secret. */
  readonly sessionId: string
}

/** What became of an import. */
interface AccountImport {
  readonly imported: number
  /** Accounts that were here already. */
  readonly present: number
  /** One sentence for each row that was left out or lost something. */
  readonly problems: readonly string[]
}

/** What the hub asks of its authenticator. */
export interface Accounts {
  /** Answers the authenticator's own pages and calls below `hub/`: login, sign-up, authorisation, passwords. */
  handle(request: Request, clientIp: string | undefined): Promise<Response>
  /** Who a browser's cookies belong to. */
  session(request: Request): Promise<LoggedIn | undefined>
  /** Ends the login of a browser; returns the `Set-Cookie` that takes it away. */
  logOut(request: Request): Promise<string>
  /** Checks a name and a password, as login does; the account's name when they are right. */
  authenticate(name: string, password: string, clientIp: string | undefined): Promise<string | undefined>
  /** Whether there is an account of this name. */
  exists(name: string): Promise<boolean>
  /**
   * Makes an account an administrator, or an ordinary one; without an account nothing happens.
   *
   * @throws {@link RequestError} 400 when no administrator would be left.
   */
  setAdmin(name: string, isAdmin: boolean): Promise<void>
  /** Removes the account of a deleted user, if there is one. */
  discard(name: string): Promise<void>
  /** Takes over the accounts of a database of NativeAuthenticator; passwords stay as they are. Safe to repeat. */
  importFrom(source: Kysely<unknown>, admins: readonly string[]): Promise<AccountImport>
  /** Makes an admin's account, or gives an existing one the password and the rights. Returns the name as it is kept. */
  createAdmin(name: string, password: string): Promise<string>
}
