import { ContainerPgError } from '../errors.ts'
import { type Address, fromServer, type Login, tryLogin, withClient } from './login.ts'
import { scramVerifier } from './scram.ts'

/**
 * Sets a role's password and proves it with a login. Repeated, it finds the new password in force. The server gets a verifier,
 * so that no log of statements can hold the password.
 *
 * @param name - The server's, for errors.
 * @throws {@link ContainerPgError} `WRONG_PASSWORD`, `SERVER_RECOVERING`, `SERVER_FAILED`, `DISK_FULL`.
 */
export async function rotatePassword(name: string, address: Address, next: string): Promise<void> {
  const changed = { ...address, password: next }
  const now = await tryLogin(address, 5000)
  if (now.kind === 'refused') {
    // Whoever was killed, or cut off, after the change had been made can repeat it.
    if ((await tryLogin(changed, 5000)).kind === 'ok') return
    throw new ContainerPgError('WRONG_PASSWORD', 'The server refuses the current password', {
      remedy: 'Give the password that is valid now.',
    })
  }
  expectOpen(name, now)
  try {
    await withClient(address, async (client) => {
      const verifier = client.escapeLiteral(await scramVerifier(next))
      await client.query(`ALTER ROLE ${client.escapeIdentifier(address.user)} PASSWORD ${verifier}`)
    })
  } catch (error) {
    throw fromServer(name, error)
  }
  expectOpen(name, await tryLogin(changed, 5000))
}

function expectOpen(name: string, login: Login): void {
  if (login.kind === 'ok') return
  if (login.kind === 'starting') {
    throw new ContainerPgError('SERVER_RECOVERING', `Server ${name} is not ready yet`, { remedy: 'Ask again.' })
  }
  const cause = login.kind === 'silent' ? login.cause : undefined
  throw new ContainerPgError('SERVER_FAILED', `Server ${name} lets nobody in`, { remedy: 'See its log.', cause })
}
