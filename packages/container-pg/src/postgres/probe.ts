import { connect } from 'node:net'

/** What a server says to a stranger at the door. */
export type Answer = 'ready' | 'starting' | 'silent'

/**
 * Asks a server whether it would let somebody log in, without a password: says who is there and leaves when the server asks for
 * proof.
 *
 * @returns `silent` at once when the connection is closed without an answer, as the engine's proxy does before the server
 * listens; else after `timeoutMs`.
 * @see https://www.postgresql.org/docs/15/protocol-flow.html#id-1.10.6.7.3 (start-up)
 */
export function askAtTheDoor(port: number, user: string, timeoutMs: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const socket = connect({ host: '127.0.0.1', port })
  const timer = setTimeout(() => socket.destroy(), timeoutMs)
  socket.once('connect', () => socket.write(startUp(user)))
  socket.once('data', (answer) => {
    resolve(meaning(answer))
    socket.destroy()
  })
  socket.on('error', () => {})
  socket.once('close', () => {
    clearTimeout(timer)
    resolve('silent')
  })
  return promise
}

function startUp(user: string): Buffer {
  const words = Buffer.from(`user\0${user}\0database\0postgres\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(words.length + 8, 0)
  head.writeInt32BE(196_608, 4) // protocol 3.0
  return Buffer.concat([head, words])
}

function meaning(answer: Buffer): Answer {
  const kind = String.fromCharCode(answer[0] ?? 0)
  if (kind === 'R') return 'ready'
  return kind === 'E' && answer.includes('57P03') ? 'starting' : 'silent'
}
