import { ContainerPgError } from '../errors.ts'
import { type Address, withClient } from '../postgres/login.ts'

/** What to do on a server before its creator hears of it. */
export interface FirstSteps {
  readonly initScripts: readonly string[]
  readonly databases: readonly string[]
}

/**
 * Runs the scripts, each on a connection of its own, and makes the missing databases.
 *
 * Done over a connection and before the ready mark: the image's own init folder is skipped at the next start when one of
 * its files fails, and the half-made server then looks healthy.
 *
 * @throws {@link ContainerPgError} `INIT_SCRIPT_FAILED` with the script's position and the server's message.
 */
export async function firstSteps(address: Address, { initScripts, databases }: FirstSteps): Promise<void> {
  for (const [index, script] of initScripts.entries()) {
    try {
      await withClient(address, (client) => client.query(script))
    } catch (error) {
      throw new ContainerPgError('INIT_SCRIPT_FAILED', `Script ${index + 1} failed: ${(error as Error).message}`, {
        remedy: 'Correct it and create the server again; nothing was kept.',
        cause: error,
      })
    }
  }
  if (databases.length === 0) return
  await withClient(address, async (client) => {
    for (const name of databases) {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
      if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)
    }
  })
}
