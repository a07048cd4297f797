import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What a load did. */
export interface LoadResult {
  /** Answers a second. */
  readonly rate: number
  /** Latency that 99 of 100 answers stay within, in milliseconds. */
  readonly p99: number
}

/** What is asked again and again. */
export interface LoadOptions {
  readonly url: string
  readonly token: string
  /** How many ask at once, each on a connection of its own that it keeps. */
  readonly clients: number
}

/** A load that can be run several times over the same connections. */
export interface Load extends Disposable {
  /** Asks for so many milliseconds. */
  readonly run: (durationMs: number) => Promise<LoadResult>
}

/**
 * Calls one address again and again from several clients at once, each waiting for its answer.
 *
 * Client, proxy and hub share two cores, so the client does little: one text is sent, and of the answer status and
 * length are read.
 */
export async function openLoad({ url, token, clients }: LoadOptions): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: clients }, () => open(url)))
  const { host, pathname, search } = new URL(url)
  const text = `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nauthorization: token ${token}\r\n\r\n`
  return {
    run: async (durationMs) => {
      const begun = performance.now()
      const times = await Promise.all(sockets.map((socket) => ask(socket, text, begun + durationMs)))
      const all = times.flat().toSorted((a, b) => a - b)
      return {
        rate: all.length / ((performance.now() - begun) / 1000),
        p99: all[Math.floor(all.length * 0.99)] ?? Number.NaN,
      }
    },
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  return socket
}

/** Asks over one connection until a moment, and tells how long each answer took, in milliseconds. */
function ask(socket: Socket, text: string, until: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const times: number[] = []
    let answer = ''
    let sent = performance.now()
    const finish = (error?: Error) => {
      socket.off('data', onData).off('error', finish).off('close', onClose)
      if (error === undefined) resolve(times)
      else reject(error)
    }
    const onClose = () => finish(new Error('The connection was closed'))
    const onData = (part: Buffer) => {
      answer += part.toString('latin1')
      if (!isWhole(answer)) return
      if (!answer.startsWith('HTTP/1.1 200 ')) return finish(new Error(`Refused: ${answer.slice(0, 200)}`))
      answer = ''
      const now = performance.now()
      times.push(now - sent)
      if (now >= until) return finish()
      sent = now
      socket.write(text)
    }
    socket.on('data', onData).on('error', finish).on('close', onClose)
    socket.write(text)
  })
}

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1]
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length >= end + 4 + Number(length)
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** How long something takes, in milliseconds. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await run()
  return performance.now() - begun
}
