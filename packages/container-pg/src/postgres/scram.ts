import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const ITERATIONS = 4096

/** Blanks other than the usual one, and what is left out: RFC 3454, tables C.1.2 and B.1. */
const BLANKS = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g
const LEFT_OUT = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/g

/**
 * Computes the value that Postgres stores for a password, so that the password itself need not travel.
 *
 * The password is brought into the form that clients give it, SASLprep; control characters must have been refused before.
 *
 * @param salt - 16 random bytes; given only by tests.
 * @returns `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`, accepted by `CREATE ROLE … PASSWORD` and by `initdb --pwfile`.
 * @see https://www.rfc-editor.org/rfc/rfc5802#section-3 (keys), https://www.rfc-editor.org/rfc/rfc4013#section-2.1 (mapping), https://www.postgresql.org/docs/15/catalog-pg-authid.html
 */
export async function scramVerifier(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const prepared = password.replace(BLANKS, ' ').replace(LEFT_OUT, '').normalize('NFKC')
  const salted = await promisify(pbkdf2)(prepared, salt, ITERATIONS, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
