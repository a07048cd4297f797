import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

/** What the engine does with a call: answers it, says nothing for ever, or fails. */
export type Mood = 'well' | 'mute' | 'broken'

/** As much of a container engine as the spawner asks for, which hangs or fails on demand. */
export interface FakeEngine extends AsyncDisposable {
  readonly socket: string
  /** Decides about each call by its line without its query, such as `POST /containers/create`. */
  mood: (line: string) => Mood
  /** The lines of all calls so far. */
  readonly calls: readonly string[]
  /** Names of the containers there are. */
  readonly containers: ReadonlySet<string>
  /** Those of them that have ended. */
  readonly ended: Set<string>
}

/** Starts the engine on a Unix socket. Its one kind of container answers everything with 200. */
export async function startFakeEngine(socket: string): Promise<FakeEngine> {
  const inside = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1')
  await once(inside, 'listening')
  const { port } = inside.address() as AddressInfo
  const names = new Set<string>()
  const ended = new Set<string>()
  const calls: string[] = []
  const answers: readonly (readonly [RegExp, (match: RegExpExecArray) => unknown])[] = [
    [/^GET \/images\/.*\/json/, () => ({ Config: { Entrypoint: null } })],
    [
      /^GET \/containers\/json.*filters=(.*)/,
      ([, filters = '']) => {
        const { name: [pattern] = ['^'] } = JSON.parse(decodeURIComponent(filters)) as { readonly name?: [string] }
        const matching = [...names].filter((name) => new RegExp(pattern).test(`/${name}`))
        return matching.map((name) => ({ Id: name }))
      },
    ],
    [
      /^POST \/containers\/create\?name=([^&]+)/,
      ([, name = '']) => {
        names.add(name)
        return { Id: name }
      },
    ],
    [
      /^GET \/containers\/([^/]+)\/json/,
      ([, name = '']) => {
        const ports = { '8888/tcp': [{ HostPort: `${port}` }] }
        const state = { Running: !ended.has(name), ExitCode: 137 }
        return names.has(name) ? { State: state, NetworkSettings: { Ports: ports } } : undefined
      },
    ],
    [/^DELETE \/containers\/([^?]+)/, ([, name = '']) => (ended.delete(name), names.delete(name) ? {} : undefined)],
    [/^(PUT|POST|GET) \/containers\/[^/]+\/(archive|start|stop|logs)/, () => ({})],
  ]
  const engine = {
    socket,
    mood: (_line: string): Mood => 'well',
    calls,
    containers: names,
    ended,
    async [Symbol.asyncDispose]() {
      for (const server of [outside, inside]) {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
    },
  }
  const outside = createServer((request, response) => {
    const line = `${request.method} ${request.url}`
    request.resume()
    // A container that is waited for runs for ever.
    if (line.includes('/wait')) return
    calls.push(line)
    const mood = engine.mood(line.split('?', 1)[0] ?? '')
    if (mood === 'mute') return
    response.setHeader('content-type', 'application/json')
    if (mood === 'broken') {
      response.statusCode = 500
      response.end('{"message":"broken on purpose"}')
      return
    }
    const found = answers.flatMap(([pattern, answer]) => {
      const match = pattern.exec(line)
      return match === null ? [] : [answer(match)]
    })[0]
    response.statusCode = found === undefined ? 404 : line.includes('/create') ? 201 : 200
    response.end(JSON.stringify(found ?? {}))
  }).listen(socket)
  await once(outside, 'listening')
  return engine
}
