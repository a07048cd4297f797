import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What a load did. */
export interface LoadResult {
  /** Answers a second. */
  readonly rate: number
  /** Latency that 99 of 100 answers stay within, in milliseconds. */
  readonly p99: number
}

/** Length of the load before the measured one, in milliseconds: both sides compile what is used much. */
const WARM_MS = 1500

/**
 * Calls one address again and again from several clients at once, each on a connection of its own that it keeps, and
 * each waiting for its answer.
 *
 * Client, proxy and hub share two cores, so the client does little: one text is sent, and of the answer status and
 * length are read.
 */
export async function load(url: string, token: string, clients: number, durationMs: number): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: clients }, () => open(url)))
  const { host, pathname, search } = new URL(url)
  const text = `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nauthorization: token ${token}\r\n\r\n`
  const run = async (forMs: number) => {
    const times: number[] = []
    const until = performance.now() + forMs
    const one = async (socket: Socket) => {
      while (performance.now() < until) {
        const sent = performance.now()
        socket.write(text)
        await answer(socket, url)
        times.push(performance.now() - sent)
      }
    }
    const begun = performance.now()
    await Promise.all(sockets.map(one))
    return { times, seconds: (performance.now() - begun) / 1000 }
  }
  try {
    await run(WARM_MS)
    const { times, seconds } = await run(durationMs)
    times.sort((a, b) => a - b)
    return { rate: times.length / seconds, p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  return socket
}

/** Reads one answer to its end. */
async function answer(socket: Socket, url: string): Promise<void> {
  let head = ''
  let missing = Infinity
  let chunked = false
  while (missing > 0) {
    const [part] = (await once(socket, 'data')) as [Buffer]
    if (missing < Infinity) {
      missing -= part.length
      continue
    }
    head += part.toString('latin1')
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) continue
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`${url} answered ${head.slice(0, 200)}`)
    chunked ||= /\r\ntransfer-encoding: chunked/i.test(head.slice(0, end))
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head.slice(0, end))?.[1] ?? 0)
    if (!chunked) missing = end + 4 + length - head.length
    else if (head.endsWith('0\r\n\r\n')) missing = 0
  }
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
