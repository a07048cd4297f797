import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const ITERATIONS = 4096

/**
 * Computes the value that Postgres stores for a password, so that the password itself need not travel.
 *
 * The password is normalised with NFKC, the part of SASLprep that changes printable text; control characters must have
 * been refused before.
 *
 * @param salt - 16 random bytes; given only by tests.
 * @returns `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`, accepted by `CREATE ROLE … PASSWORD` and by `initdb --pwfile`.
 * @see https://www.rfc-editor.org/rfc/rfc5802#section-3 (keys), https://www.postgresql.org/docs/15/catalog-pg-authid.html
 */
export async function scramVerifier(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const salted = await promisify(pbkdf2)(password.normalize('NFKC'), salt, ITERATIONS, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  const storedKey = createHash('sha256').update(clientKey).digest('base64')
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`
}
