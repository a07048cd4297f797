// Run by `pnpm check:install` on every supported Node, beside the package as strangers install it: Argon2 is native code,
// and has failed to load, or blocked the main thread, on single releases of Node.
import assert from 'node:assert/strict'

import { argon2Hasher, createNativeAuth } from '@org/native-auth'
import { nodeRsHasher } from '@org/native-auth/node-rs'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'

const password = 'staple battery 3'
const hashers = [argon2Hasher(), nodeRsHasher()]
for (const hasher of hashers) {
  const hash = await hasher.hash(password)
  assert.match(hash, /^\$argon2id\$v=19\$/)
  for (const other of hashers) {
    assert.equal(await other.verify(hash, password), true)
    assert.equal(await other.verify(hash, 'another'), false)
    assert.equal(other.isOutdated(hash), false)
  }
}

// While hashes run, timers go on: they run off the main thread.
const [hasher] = hashers
let ticks = 0
const timer = setInterval(() => (ticks += 1), 1)
await Promise.all(Array.from({ length: 8 }, () => hasher.hash(password)))
clearInterval(timer)
assert.ok(ticks > 1, 'the hashes ran on the main thread')

const db = new Kysely({ dialect: new SqliteDialect({ database: new Database(':memory:') }) })
const auth = createNativeAuth({ db, secret: 'a secret of at least thirty-two characters', signUp: { open: true } })
await auth.migrate()
await auth.signUp({ username: 'ann', password })
const { token } = await auth.authenticate({ username: 'ann', password })
assert.equal((await auth.sessions.verify(token))?.account.username, 'ann')
await assert.rejects(auth.authenticate({ username: 'ann', password: 'another' }), {
  code: 'NATIVE_AUTH_INVALID_CREDENTIALS',
})
await db.destroy()
