import { DatabaseSync } from 'node:sqlite'

import { startFakeHub } from './fake-hub.ts'

/** What the hub tells when it is up. */
export interface Started {
  readonly port: number
  readonly token: string
}

// Run by the Node of a container: a hub in miniature and its database, in which alice's server runs.
const database = new DatabaseSync(process.argv[2] ?? '')
database.exec(`
  create table users (id integer primary key, name text);
  create table servers (id integer primary key, proto text, ip text, port integer, base_url text, cookie_name text);
  create table spawners (id integer primary key, user_id integer, server_id integer, state text, name text, started text);
  create table api_tokens (id integer primary key, user_id integer, service_id integer, hashed text, note text);
  insert into users values (1, 'alice');
  insert into servers values (1, 'http', '127.0.0.1', 4001, '/user/alice/', 'c');
  insert into spawners values (1, 1, 1, '{}', '', null);
`)
database.close()
const { port, token } = await startFakeHub({ spawnMs: 100 })
const started: Started = { port, token }
process.stdout.write(`${JSON.stringify(started)}\n`)
