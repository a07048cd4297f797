import { once } from 'node:events'
import { connect } from 'node:net'

/** What a server says to a stranger at the door. */
export type Answer = 'ready' | 'starting' | 'silent'

/**
 * Asks a server whether it would let somebody log in, without a password and without a trace in its log: says who is
 * there and leaves when the server asks for proof.
 *
 * @see https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.3 (start-up)
 */
export async function askAtTheDoor(port: number, user: string, timeoutMs: number): Promise<Answer> {
  const socket = connect({ host: '127.0.0.1', port })
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    await once(socket, 'connect', { signal })
    const words = Buffer.from(`user\0${user}\0database\0postgres\0\0`)
    const head = Buffer.alloc(8)
    head.writeInt32BE(words.length + 8, 0)
    head.writeInt32BE(196_608, 4) // protocol 3.0
    socket.write(Buffer.concat([head, words]))
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer]
    const kind = String.fromCharCode(answer[0] ?? 0)
    if (kind === 'R') return 'ready'
    return kind === 'E' && answer.includes('57P03') ? 'starting' : 'silent'
  } catch {
    return 'silent'
  } finally {
    socket.destroy()
  }
}
