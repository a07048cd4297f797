import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { RouteTable } from '../src/proxy/routes.ts'
import type { Contenders } from './contenders.ts'

const PROGRAM = `
const { createServer } = require('node:http')
const { headers, body } = JSON.parse(process.argv[1])
const server = createServer((request, response) => response.writeHead(200, headers).end(body))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`

/** A server that does nothing but answer. */
export interface BareServer extends AsyncDisposable {
  readonly url: string
}

/**
 * Starts a bare Node server behind the proxy of our hub that repeats one answer of it.
 *
 * What it reaches is what proxy, client and machine leave to any hub that runs on Node.
 */
export async function startBareServer({ ours: { hub, url } }: Contenders, like: Response): Promise<BareServer> {
  const answer = JSON.stringify({ headers: Object.fromEntries(like.headers), body: await like.text() })
  const child = spawn(process.execPath, ['-e', PROGRAM, answer], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  const { token, args } = JSON.parse(readFileSync(path.join(hub.dir, 'data', 'proxy.json'), 'utf8')) as {
    readonly token: string
    readonly args: readonly string[]
  }
  const apiPort = Number(args.find((each) => each.startsWith('--api-port='))?.split('=')[1])
  using routes = new RouteTable({ port: apiPort, token })
  await routes.set('/bare/', { target: `http://127.0.0.1:${port.toString().trim()}` })
  return {
    url: `${url}bare/`,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
