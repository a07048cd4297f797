import { ContainerPgError } from '../errors.ts'
import { type Address, tryLogin, withClient } from './login.ts'
import { scramVerifier } from './scram.ts'

/**
 * Sets a role's password and proves it with a login. The server gets a verifier, so that no log of statements can hold the
 * password.
 *
 * @throws {@link ContainerPgError} `WRONG_PASSWORD`.
 */
export async function rotatePassword(address: Address, newPassword: string): Promise<void> {
  const now = await tryLogin(address, 5000)
  if (now.kind === 'refused') {
    throw new ContainerPgError('WRONG_PASSWORD', 'The server refuses the current password', {
      remedy: 'Give the password that is valid now.',
    })
  }
  await withClient(address, async (client) => {
    const verifier = client.escapeLiteral(await scramVerifier(newPassword))
    await client.query(`ALTER ROLE ${client.escapeIdentifier(address.user)} PASSWORD ${verifier}`)
  })
  const after = await tryLogin({ ...address, password: newPassword }, 5000)
  if (after.kind !== 'ok')
    throw new ContainerPgError('SERVER_FAILED', 'The server refuses the new password', { cause: after })
}
