import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { expect, test } from 'vitest'

const sources = globSync(path.join(import.meta.dirname, '../**/*.test.ts'))
  .filter((file) => file !== import.meta.filename)
  .map((file) => readFileSync(file, 'utf8'))

/** What can go wrong around a server, and the tests that show how it ends. */
test.each([
  ['a port held by a process', ['a port held by a process is PORT_TAKEN; nothing is left']],
  [
    'a port held by a container',
    ['a port held by another server names that server', 'a recorded port is kept, and its holder reported'],
  ],
  [
    'a free port taken in between',
    ['a chosen port that somebody takes in between is replaced', 'is given up after five tries'],
  ],
  [
    'two servers on one folder',
    [
      'one live server a folder: the same, above, below, and whoever made the other container',
      'a container that has the folder by another path is a holder, too',
      'the first process itself refuses a folder that another container has locked',
      'a container that another provisioner makes in between is left alone',
      'two processes that want one folder: one gets it, the other is told so',
    ],
  ],
  [
    'one name asked for at once',
    [
      'two provisioners that want one name make one server',
      'two processes that ask for the same server get the same server',
      'answers a repeated create with the same server',
    ],
  ],
  ['no image', ['an image that is not there is IMAGE_MISSING', 'an image without flock is IMAGE_UNFIT']],
  [
    'no engine, no permission, no answer',
    [
      '%s is ENGINE_UNREACHABLE at once, and leaves nothing',
      'an engine whose socket is not ours to open is ENGINE_UNREACHABLE',
      'an engine that never answers is ENGINE_TIMEOUT at the deadline',
    ],
  ],
  [
    'a connection cut',
    [
      'a connection cut ${cut} ${request} leaves nothing that the next call does not put right',
      'a connection that stays cut is put right by reconcile',
    ],
  ],
  [
    'an engine restarted',
    ['servers come back with their data, after an orderly restart and after a crash of the engine'],
  ],
  ['a disk full at the first start', ['a disk that is full at the first start is DISK_FULL']],
  [
    'a disk full later',
    [
      'a disk that fills up later is DISK_FULL on a start; after growing every row is there',
      'a full disk is no reason to keep what is to be erased',
    ],
  ],
  [
    'a container killed, a server that recovers',
    [
      'no acknowledged row is lost when the container is killed',
      'killing the %s at %j loses nothing',
      'a server that still recovers is SERVER_RECOVERING and is let run',
    ],
  ],
  [
    'a first start killed',
    [
      'a container killed during the first start leaves a folder that the next create redoes',
      'a half-made folder, known by its mark, is wiped and redone',
      'data of an unknown maker is refused, or adopted when that is asked for',
    ],
  ],
  [
    'the service killed',
    [
      'a service killed %s %s leaves nothing that one reconcile does not put right',
      'a create that was killed after its first login is undone; data that were there before stay',
      'a removal that was broken off is brought to its end, and never taken back',
      'leaves nothing that the next one does not clear away, and never half a database',
    ],
  ],
  ['a wrong password', ['a wrong password on kept data is WRONG_PASSWORD; what was started is stopped']],
  [
    'injection by password or name',
    [
      'hostile passwords are passwords, whatever they would mean to a shell or to SQL',
      'refuses password %#, without repeating it',
      'takes odd but honest names, and a nested folder',
    ],
  ],
  [
    'a folder that is none of ours',
    [
      'refuses the folder %j',
      'refuses symbolic links, in the last part and above, in and out of the root',
      'refuses files and folders that everybody may write to',
      'runs the server as the folder’s owner',
      'notices a folder that was exchanged between the check and the mount',
      'neither empties nor gives away nor mounts what a link in a folder leads to',
      'a create that fails leaves the folder that was there, and none that was not',
      'a storage root that may not be made is STORAGE_REFUSED',
      'a storage root that may not be written to is STORAGE_REFUSED',
    ],
  ],
  ['a container removed by hand', ['a container removed by hand shows as lost, and comes back with its data and port']],
  ['a folder deleted under its server', ['a folder deleted under a server shows as failed']],
  ['another major version', ['data of another major version is refused before a start, naming both']],
  [
    'memory and log without end',
    [
      'a first start that needs more than its limit is OUT_OF_MEMORY',
      'a server on kept data that needs more than its limit is OUT_OF_MEMORY',
      'a query that eats the memory of its server is ended and reported',
      'a server that writes without end fills no more than its share of the log',
    ],
  ],
])('%s has its test', (_, titles) => {
  for (const title of titles) expect(sources.filter((source) => source.includes(title))).toHaveLength(1)
})
