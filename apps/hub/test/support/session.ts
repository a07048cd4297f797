import { request } from 'node:http'

/** Logs in without a browser and returns the cookies that a browser would send below `hub/`. */
export async function sessionOf(hub: { readonly url: string }, name: string, password: string): Promise<string> {
  const answer = await fetch(`${hub.url}hub/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password }),
  })
  if (answer.status !== 200) throw new Error(`The login of ${name} was answered with ${answer.status}`)
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ')
}

/** Opens a page as somebody who is logged in. Not with `fetch`, which says that it is a script: pages refuse those. */
export function openPage(url: string, cookie: string): Promise<{ status: number | undefined; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; text: string }>()
  request(url, { headers: { cookie } }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (text += chunk))
    response.on('end', () => resolve({ status: response.statusCode, text }))
    response.on('error', reject)
  })
    .on('error', reject)
    .end()
  return promise
}
