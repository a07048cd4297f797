import { renderSVG } from 'uqr'

import { type Account, toAccount } from '../accounts/account.ts'
import { type AccountRef, type Actor, type Change, change, needRow } from '../accounts/administer.ts'
import { type AttemptClient, checkOwnPassword } from '../accounts/authenticate.ts'
import type { Core } from '../core.ts'
import { NativeAuthError } from '../errors.ts'
import { mayEnter, type NewSession, type Session, type Sessions } from '../sessions/sessions.ts'
import { writeAudit } from '../store/audit.ts'
import { issueToken, peekToken, takeToken, tryToken } from '../store/tokens.ts'
import { type AccountRow, asProved, type AuthDb } from '../store/tables.ts'
import { attempt, forget } from '../throttle/limits.ts'
import { renewRecoveryCodes, spendCode, wrongCode } from './codes.ts'
import { base32, fromBase32, matchStep, otpauthUri } from './totp.ts'

/** Life of a challenge and of an enrolment, in milliseconds. */
const CHALLENGE_MS = 600_000
/** Codes that one challenge takes. */
const CHALLENGE_TRIES = 5
/** 160 bits, the length of the SHA-1 key that apps expect. */
const SECRET_BYTES = 20

/** What somebody needs to set up an authenticator app. Shown once. */
export interface Enrolment {
  /** Names the enrolment when the first code confirms it; valid for 10 minutes. */
  readonly setup: string
  /** Base32, for typing. */
  readonly secret: string
  /** `otpauth:` address. */
  readonly uri: string
  /** The address as a QR code. */
  readonly qrSvg: string
}

/** An opened session and the codes for a lost phone; shown once. */
export interface EnrolledSession<Profile> extends NewSession<Profile> {
  readonly recoveryCodes: readonly string[]
}

/** Password and code, for changes to the second factor. */
export interface FactorProof {
  readonly password: string
  /** Six digits of the app, or a recovery code. */
  readonly code: string
}

/** Codes from an authenticator app, and recovery codes for when it is lost. */
export interface SecondFactor<Profile> {
  /**
   * Begins an enrolment; nothing changes for the account until a code confirms it.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_FORBIDDEN` when the feature is off; `NATIVE_AUTH_CONFLICT` when there
   *   is a second factor already; `NATIVE_AUTH_INVALID_INPUT` for a wrong password; `NATIVE_AUTH_BUSY`.
   */
  start(session: Session<Profile>, password: string, client?: AttemptClient): Promise<Enrolment>
  /** Shows an open enrolment again; `undefined` when it is over. */
  enrolment(setup: string): Promise<Enrolment | undefined>
  /**
   * Confirms an enrolment by its first code: the second factor is on, every session ends, a new one opens.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_CODE`, `NATIVE_AUTH_INVALID_LINK` when the enrolment is over.
   */
  confirm(setup: string, code: string, client?: AttemptClient): Promise<EnrolledSession<Profile>>
  /**
   * Completes a login that asked for a code.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_CODE`, also when the challenge is used up or too old.
   */
  complete(challenge: string, code: string, client?: AttemptClient): Promise<NewSession<Profile>>
  /** Whether a challenge still takes codes. */
  isOpen(challenge: string): Promise<boolean>
  /**
   * Switches the second factor off; every session ends, a new one opens.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT`, `NATIVE_AUTH_INVALID_CODE`, `NATIVE_AUTH_FORBIDDEN`
   *   where the service requires it.
   */
  disable(session: Session<Profile>, proof: FactorProof, client?: AttemptClient): Promise<NewSession<Profile>>
  /** Replaces the recovery codes. @throws {@link NativeAuthError} as {@link SecondFactor.disable}. */
  renewCodes(session: Session<Profile>, proof: FactorProof, client?: AttemptClient): Promise<readonly string[]>
  /**
   * Switches the second factor of somebody else off, as an administrator; every session of the account ends.
   *
   * @throws {@link NativeAuthError} `NATIVE_AUTH_NOT_FOUND`.
   */
  reset(ref: AccountRef, actor?: Actor): Promise<Account<Profile>>
}

/** Tells whether the policy asks this account for a second factor. */
function mustEnrol<Profile>(core: Core<Profile>, row: AccountRow): boolean {
  const policy = core.options.secondFactor ?? 'optional'
  return row.has_totp === 0 && (policy === 'all' || (policy === 'admins' && row.is_admin === 1))
}

/** Interrupts a login for its second step, or for the enrolment that the policy asks for. */
export async function secondStep<Profile>(core: Core<Profile>, row: AccountRow): Promise<NativeAuthError | undefined> {
  if (row.has_totp === 1) {
    const challenge = await issueToken(core.db, core.random, {
      kind: 'challenge',
      accountId: row.id,
      now: core.now(),
      ttlMs: CHALLENGE_MS,
      data: provedBy(row),
    })
    return new NativeAuthError('NATIVE_AUTH_SECOND_FACTOR_REQUIRED', 'Enter the code of your authenticator app', {
      challenge,
    })
  }
  if (!mustEnrol(core, row)) return undefined
  return new NativeAuthError('NATIVE_AUTH_ENROLMENT_REQUIRED', 'This account needs a second factor', {
    challenge: await beginEnrolment(core, row),
  })
}

async function beginEnrolment<Profile>(core: Core<Profile>, row: AccountRow): Promise<string> {
  const secret = base32(core.random(SECRET_BYTES))
  return issueToken(core.db, core.random, {
    kind: 'enrolment',
    accountId: row.id,
    now: core.now(),
    ttlMs: CHALLENGE_MS,
    data: core.keys.seal(`enrolment ${row.id} ${provedBy(row)}`, secret),
  })
}

/** The password that was proved, by the time it was chosen: after another one is, a token of the old one is void. */
const provedBy = (row: AccountRow) => String(row.password_changed_at)

/** What switching off changes, and what comes with it. */
const switchOff = (more?: (tx: AuthDb) => Promise<void>): Change => ({
  set: { has_totp: 0, totp_secret: null, totp_step: 0 },
  action: 'second-factor-off',
  hook: 'secondFactorChanged',
  ends: true,
  async also(tx, id) {
    await tx.deleteFrom('native_auth_recovery_codes').where('account_id', '=', id).execute()
    await more?.(tx)
  },
})

export function createSecondFactor<Profile>(
  core: Core<Profile>,
  sessions: Sessions<Profile>,
  open: (row: AccountRow, client: AttemptClient) => Promise<NewSession<Profile>>,
): SecondFactor<Profile> {
  const { db } = core
  const over = () => new NativeAuthError('NATIVE_AUTH_INVALID_LINK', 'This set-up is over; begin again')

  const describe = async (setup: string, stored: { accountId: number; data: string }): Promise<Enrolment> => {
    const row = await needRow(core, stored.accountId)
    const secret = core.keys.open(`enrolment ${row.id} ${provedBy(row)}`, stored.data)
    if (secret === undefined) throw over()
    const uri = otpauthUri(secret, row.username, core.options.serviceName ?? 'Hub')
    return { setup, secret, uri, qrSvg: renderSVG(uri, { ecc: 'M', border: 2 }) }
  }

  const knows = ({ account }: Session<Profile>, password: string, client: AttemptClient): Promise<AccountRow> =>
    checkOwnPassword(core, account.username, password, client, 'password')

  const factory: SecondFactor<Profile> = {
    async start(session, password, client = {}) {
      if (core.options.secondFactor === 'off') {
        throw new NativeAuthError('NATIVE_AUTH_FORBIDDEN', 'Second factors are switched off here')
      }
      const row = await knows(session, password, client)
      if (row.has_totp === 1) {
        throw new NativeAuthError('NATIVE_AUTH_CONFLICT', 'There is a second factor already; switch it off first')
      }
      const setup = await beginEnrolment(core, row)
      const enrolment = await factory.enrolment(setup)
      if (enrolment === undefined) throw over()
      return enrolment
    },

    async enrolment(setup) {
      const stored = await peekToken(db, 'enrolment', setup, core.now())
      return stored === undefined ? undefined : describe(setup, stored)
    },

    async confirm(setup, code, client = {}) {
      const stored = await peekToken(db, 'enrolment', setup, core.now())
      if (stored === undefined) throw over()
      const { secret } = await describe(setup, stored)
      const row = await needRow(core, stored.accountId)
      const key = `enrol:${row.id}`
      const counted = await attempt(db, key, { ...core.limits.lockout, hits: 10 }, core.now())
      const step = matchStep(fromBase32(secret), code.replace(/\s/g, ''), core.now(), 0)
      if (!counted.allowed || step === undefined) throw wrongCode()
      if (!mayEnter(core, row, core.now())) throw over()
      const now = core.now()
      const recoveryCodes = await db.transaction().execute(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('native_auth_accounts')
          .set({ has_totp: 1, totp_step: step, totp_secret: core.keys.seal(`totp ${row.id}`, secret) })
          .where(asProved({ ...row, has_totp: 0 }))
          .executeTakeFirst()
        if (numUpdatedRows === 0n) throw over()
        if ((await takeToken(tx, 'enrolment', setup, now)) === undefined) throw over()
        await tx.deleteFrom('native_auth_sessions').where('account_id', '=', row.id).execute()
        const actor = { actorId: row.id, ip: client.ip }
        await writeAudit(tx, {
          at: now,
          action: 'second-factor-on',
          accountId: row.id,
          username: row.username,
          ...actor,
        })
        return renewRecoveryCodes(core, tx, row.id)
      })
      await forget(db, key)
      await core.tell('secondFactorChanged', toAccount<Profile>({ ...row, has_totp: 1 }, now))
      const opened = await open({ ...row, has_totp: 1 }, client)
      return { ...opened, recoveryCodes }
    },

    async complete(challenge, code, client = {}) {
      const stored = await tryToken(db, 'challenge', challenge, core.now(), CHALLENGE_TRIES)
      if (stored === undefined) throw wrongCode()
      const row = await needRow(core, stored.accountId)
      if (!mayEnter(core, row, core.now()) || stored.data !== provedBy(row)) throw wrongCode()
      await spendCode(core, row, code, client.ip)
      if ((await takeToken(db, 'challenge', challenge, core.now())) === undefined) throw wrongCode()
      return open(row, client)
    },

    async isOpen(challenge) {
      return (await peekToken(db, 'challenge', challenge, core.now())) !== undefined
    },

    async disable(session, proof, client = {}) {
      const row = await knows(session, proof.password, client)
      if (mustEnrol(core, { ...row, has_totp: 0 })) {
        throw new NativeAuthError('NATIVE_AUTH_FORBIDDEN', 'This service asks this account for a second factor')
      }
      await spendCode(core, row, proof.code, client.ip)
      let opened: NewSession<Profile> | undefined
      const off = switchOff(async (tx) => {
        opened = await sessions.open({ ...row, has_totp: 0, totp_secret: null }, client, tx)
      })
      await change(core, row.id, { actorId: row.id, ip: client.ip }, { ...off, proved: row })
      if (opened === undefined) throw new NativeAuthError('NATIVE_AUTH_INTERNAL', 'Expected a session')
      return opened
    },

    async renewCodes(session, proof, client = {}) {
      const row = await knows(session, proof.password, client)
      await spendCode(core, row, proof.code, client.ip)
      return db.transaction().execute(async (tx) => {
        // Writes nothing new, but holds the row: two renewals at once must not both leave their codes.
        const { numUpdatedRows } = await tx
          .updateTable('native_auth_accounts')
          .set({ has_totp: 1 })
          .where(asProved(row))
          .executeTakeFirst()
        if (numUpdatedRows === 0n) throw wrongCode()
        const codes = await renewRecoveryCodes(core, tx, row.id)
        const actor = { actorId: row.id, ip: client.ip }
        await writeAudit(tx, {
          at: core.now(),
          action: 'recovery-codes-renewed',
          accountId: row.id,
          username: row.username,
          ...actor,
        })
        return codes
      })
    },

    reset: (ref, actor = {}) => change(core, ref, actor, switchOff()),
  }
  return factory
}
