import { Agent, request } from 'node:http'

/** What a load did. */
export interface LoadResult {
  /** Answers a second. */
  readonly rate: number
  /** Latency that 99 of 100 answers stay within, in milliseconds. */
  readonly p99: number
}

/** Calls one address again and again from several clients at once, each waiting for its answer. */
export async function load(url: string, token: string, clients: number, durationMs: number): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const times: number[] = []
  const begun = performance.now()
  const until = begun + durationMs
  const one = async () => {
    while (performance.now() < until) {
      const sent = performance.now()
      await get(url, token, agent)
      times.push(performance.now() - sent)
    }
  }
  await Promise.all(Array.from({ length: clients }, one))
  agent.destroy()
  const seconds = (performance.now() - begun) / 1000
  times.sort((a, b) => a - b)
  return { rate: times.length / seconds, p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN }
}

function get(url: string, token: string, agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  request(url, { agent, headers: { authorization: `token ${token}` } }, (response) => {
    response.resume()
    response.on('end', () => {
      if (response.statusCode === 200) resolve()
      else reject(new Error(`${url} answered ${response.statusCode}`))
    })
  })
    .on('error', reject)
    .end()
  return promise
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
