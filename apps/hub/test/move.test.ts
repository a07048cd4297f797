import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import path from 'node:path'

import Database from 'better-sqlite3'
import { describeWith } from '@org/services'
import { expect, test } from 'vitest'

import { startJupyterHub } from './support/jupyterhub.ts'
import { startHub } from './support/running-hub.ts'

await describeWith('jupyterhub', 'moving from JupyterHub with NativeAuthenticator', () => {
  test('users, groups and passwords come along; tokens do not', { timeout: 90_000 }, async () => {
    await using hub = await startHub()
    await hub.end('SIGTERM')
    let old = ''
    {
      await using jupyterhub = await startJupyterHub()
      await jupyterhub.call('POST', '/users', { body: { usernames: ['ada', 'bob'] } })
      await jupyterhub.call('PATCH', '/users/ada', { body: { admin: true } })
      await jupyterhub.call('POST', '/groups/team', { body: { users: ['bob'] } })
      old = ((await jupyterhub.call('POST', '/users/ada/tokens')).json as unknown as { token: string }).token
      copyFileSync(jupyterhub.database, path.join(hub.dir, 'old.sqlite'))
    }
    const database = new Database(path.join(hub.dir, 'old.sqlite'))
    database.exec(
      'create table users_info (id integer primary key, username varchar(128) not null, password blob not null, ' +
        'is_authorized boolean, login_email_sent boolean, email varchar(128), has_2fa boolean, otp_secret varchar(16))',
    )
    const hash = execFileSync('/usr/bin/python3', [
      '-c',
      'import crypt; print(crypt.crypt("a fine long password", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)), end="")',
    ])
    database.prepare("insert into users_info values (1, 'ada', ?, 1, 0, null, 0, '')").run(Buffer.from(hash))
    database.close()
    for (const rest of ['', '-wal', '-shm']) execFileSync('rm', ['-f', `${hub.database}${rest}`])
    copyFileSync(path.join(hub.dir, 'old.sqlite'), hub.database)

    expect((await hub.command(['upgrade-db'])).code).toBe(0)
    expect(await hub.command(['import-accounts'])).toMatchObject({
      code: 0,
      out: '1 imported, 0 here already, 0 with problems\n',
    })
    await hub.start()
    expect((await hub.call('GET', '/users/ada')).json).toMatchObject({ admin: true, roles: ['user', 'admin'] })
    expect((await hub.call('GET', '/users/bob')).json).toMatchObject({ groups: ['team'] })
    expect((await hub.call('GET', '/user', { token: old })).status).toBe(403)
    const body = { auth: { username: 'ada', password: 'a fine long password' } }
    expect((await hub.call('POST', '/users/ada/tokens', { token: null, body })).status).toBe(201)
    const wrong = { auth: { username: 'ada', password: 'a wrong password' } }
    expect((await hub.call('POST', '/users/ada/tokens', { token: null, body: wrong })).status).toBe(403)
  })
})
