import { Client } from 'pg'

import type { Provisioner, Server } from '../../src/index.ts'

const PASSWORD = 'ready'

/** What became of one create. */
export interface ReadyReport {
  /** It was called ready, and then would not let somebody in or was another server a moment later. */
  readonly falselyReady: boolean
  /** Logins that were tried until one worked. */
  readonly logins: number
  /** From the server's own "ready" line to the return of the call, in milliseconds. */
  readonly lateMs: number
}

/** Counts the logins that this process tries from now on. */
function countLogins(): Disposable & { count(): number } {
  let count = 0
  const { prototype } = Client
  const original = Object.getOwnPropertyDescriptor(prototype, 'connect') as PropertyDescriptor
  Object.defineProperty(prototype, 'connect', {
    ...original,
    value(this: Client, ...args: unknown[]): unknown {
      count += 1
      return Reflect.apply(original.value as (...all: unknown[]) => unknown, this, args)
    },
  })
  return { count: () => count, [Symbol.dispose]: () => Object.defineProperty(prototype, 'connect', original) }
}

/**
 * Makes a server on a new folder, removes it with its data kept, and takes the folder up again; asks the server each time at
 * the moment at which it is called ready. One at a time in a process, as logins are counted.
 */
export async function freshAndAgain(
  provisioner: Provisioner,
  name: string,
): Promise<{ fresh: ReadyReport; again: ReadyReport }> {
  const fresh = await createAndAsk(provisioner, name)
  await provisioner.remove(name, { keepData: true })
  const again = await createAndAsk(provisioner, name)
  await provisioner.remove(name, { keepData: false })
  return { fresh, again }
}

async function createAndAsk(provisioner: Provisioner, name: string): Promise<ReadyReport> {
  using logins = countLogins()
  // The server puts its clock in front of each line.
  const server = await provisioner.create({ name, adminPassword: PASSWORD, settings: { log_line_prefix: '%n ' } })
  const returned = Date.now()
  const tried = logins.count()
  const first = await born(server)
  let said = Number.NaN
  for await (const line of provisioner.logs(name)) {
    if (line.includes('ready to accept connections')) said = Number(line.split(' ', 1)[0]) * 1000
  }
  const falselyReady = first === undefined || first !== (await born(server))
  return { falselyReady, logins: tried, lateMs: returned - said }
}

/** When the server that answers was started; `undefined` when none lets us in for reading and writing. */
async function born({ connection }: Server): Promise<string | undefined> {
  const client = new Client({ ...connection, password: PASSWORD })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ born: string }>(
      'SELECT pg_postmaster_start_time()::text AS born WHERE NOT pg_is_in_recovery()',
    )
    return rows[0]?.born
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => {})
  }
}
