import { request } from 'node:http'

/** Asks a server once whether it serves its prefix: any answer below 500 is a yes. */
export function answers(address: { ip: string; port: number }, path: string, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const call = request({ host: address.ip, port: address.port, path, timeout: timeoutMs, agent: false }, (response) => {
    response.resume()
    resolve((response.statusCode ?? 500) < 500)
  })
  call.on('timeout', () => call.destroy())
  call.on('error', () => resolve(false))
  call.end()
  return promise
}
