import { describe, expect, test } from 'vitest'

import { createNativeAuth, profileFields } from '../src/index.ts'
import { Browser } from './support/browser.ts'
import { databases } from './support/databases.ts'

describe.each(databases)('on %s', (_, createDatabase) => {
  test('somebody signs up, is authorised, logs in, changes the password and logs out', async () => {
    await using database = await createDatabase()
    const auth = createNativeAuth({
      db: database.db,
      basePath: '/hub',
      secret: 'a secret of at least thirty-two characters',
      profile: profileFields({ fullname: { label: 'Full name', required: true } }),
    })
    await auth.migrate()
    await auth.migrate()
    await auth.accounts.bootstrapAdmin({
      username: 'root',
      password: 'correct horse 17',
      profile: { fullname: 'R' },
    })
    const ann = new Browser(auth)
    const registered = await ann.json('POST', '/hub/users/register', {
      username: 'Ann',
      password: 'staple battery 3',
      fullname: 'Ann Example',
      is_admin: true,
    })
    expect(registered.status).toBe(201)
    expect(await registered.json()).toEqual({ id: 2, username: 'ann', fullname: 'Ann Example' })
    const login = { username: 'ann', password: 'staple battery 3' }
    expect((await ann.form('/hub/login', login)).status).toBe(403)

    const root = new Browser(auth)
    expect((await root.form('/hub/login', { username: 'root', password: 'correct horse 17' })).status).toBe(303)
    const people = await (await root.get('/hub/authorize')).text()
    expect(people).toContain('waiting')
    const authorised = await root.form('/hub/authorize/ann', { action: 'authorise' }, '/hub/authorize')
    expect(authorised.headers.get('location')).toBe('/hub/authorize#ann')

    const entered = await ann.form('/hub/login', { ...login, next: '/hub/spawn?x=1' })
    expect([entered.status, entered.headers.get('location')]).toEqual([303, '/hub/spawn?x=1'])
    const me = await (await ann.get('/hub/me')).json()
    expect(me).toMatchObject({ username: 'ann', fullname: 'Ann Example', is_admin: false })
    const changed = await ann.form('/hub/change-password', {
      old_password: login.password,
      new_password: 'another staple 4',
      new_password_confirmation: 'another staple 4',
    })
    expect(changed.status).toBe(200)
    expect((await ann.get('/hub/me')).status).toBe(200)
    expect((await ann.form('/hub/logout', {})).status).toBe(303)
    expect((await ann.get('/hub/me')).status).toBe(401)
    expect(await database.dump()).not.toContain('staple')
  })
})
