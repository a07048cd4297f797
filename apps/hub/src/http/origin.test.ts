import { expect, test } from 'vitest'

import { originOf } from './origin.ts'

const PUBLIC = 'https://hub.example.org'

test.each([
  ['asked directly', undefined, undefined, 'http://h:8000'],
  ['asked directly by one of our own', PUBLIC, undefined, 'http://h:8000'],
  ['through the proxy', undefined, 'http', 'http://h:8000'],
  ['through the proxy with TLS', undefined, 'https', 'https://h:8000'],
  ['by a client that claims TLS', undefined, 'https,http', 'http://h:8000'],
  ['by a client that claims none', undefined, 'http, https', 'https://h:8000'],
  ['with nonsense', undefined, 'gopher', 'http://h:8000'],
  ['behind another web server with TLS', PUBLIC, 'https,http', PUBLIC],
])('a hub that is %s begins links with what leads back there', (_how, publicUrl, forwarded, origin) => {
  const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-proto': forwarded }
  expect(originOf({ public_url: publicUrl }, new Request('http://h:8000/hub/api/users', { headers }))).toBe(origin)
})
