import { expect } from 'vitest'

import type { TestHub } from './running-hub.ts'

/** Logs in without a browser and returns the cookies that a browser would send below `hub/`. */
export async function sessionOf(hub: TestHub, name: string, password: string): Promise<string> {
  const answer = await fetch(`${hub.url}hub/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password }),
  })
  expect(answer.status).toBe(200)
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ')
}
