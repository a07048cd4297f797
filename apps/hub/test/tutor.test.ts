import { afterAll, beforeAll, expect, test } from 'vitest'

import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { call } from './support/running-hub.ts'
import { openPage, sessionOf } from './support/session.ts'

const PASSWORD = 'correct horse battery'

let inside: InProcessHub
beforeAll(async () => {
  inside = await startInProcess({
    roles: [
      { name: 'tutors', scopes: ['admin-ui', 'list:users!group=class', 'read:users!group=class'], users: ['tutor'] },
    ],
  })
}, 60_000)
afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)

test('rights over a group show this group on the pages, and nobody else', { timeout: 60_000 }, async () => {
  const { url, hub } = inside.running
  const api = (method: string, where: string, body?: unknown) =>
    call(`${url}hub/api${where}`, method, body === undefined ? {} : { body })
  await api('POST', '/users', { usernames: ['pupil', 'passer-by'] })
  await api('POST', '/groups/class', { users: ['pupil'] })
  await api('POST', '/users/pupil/tokens', { note: 'of the pupil' })
  // An account that becomes that of the user whom the configuration named.
  await hub.accounts.createAdmin('tutor', PASSWORD)
  await api('PATCH', '/users/tutor', { admin: true })
  await hub.accounts.createAdmin('root', PASSWORD)
  await api('PATCH', '/users/tutor', { admin: false })
  const cookie = await sessionOf(inside.running, 'tutor', PASSWORD)
  const look = async (where: string) => (await openPage(`${url}hub/${where}`, cookie)).text
  const users = await look('admin')
  expect(users).toContain('pupil')
  expect(users).not.toContain('passer-by')
  expect(users).not.toContain('Add a user')
  const pupil = await look('admin/users/pupil')
  for (const hidden of ['of the pupil', 'Make administrator', 'Delete pupil']) expect(pupil).not.toContain(hidden)
  expect((await openPage(`${url}hub/admin/users/passer-by`, cookie)).status).toBe(404)
  const proof = /name="_xsrf" value="([^"]+)"/.exec(users)?.[1] ?? ''
  const added = await call(`${url}hub/admin/users`, 'POST', {
    token: null,
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ _xsrf: proof, name: 'invented' }).toString(),
  })
  expect(added.status).toBe(403)
  expect(added.text).toContain('You may not add invented')
  expect((await api('GET', '/users/invented')).status).toBe(404)
})
