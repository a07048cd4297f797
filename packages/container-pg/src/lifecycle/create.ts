import { randomUUID } from 'node:crypto'

import type { ContainerFacts, ImageFacts } from '../engine/engine.ts'
import { ATTEMPT } from '../engine/shapes.ts'
import { imageMissing } from '../engine/translate.ts'
import { ContainerPgError } from '../errors.ts'
import { tryLock } from '../internal/kernel-lock.ts'
import { fromServer, type Login, tryLogin } from '../postgres/login.ts'
import { askAtTheDoor } from '../postgres/probe.ts'
import { scramVerifier } from '../postgres/scram.ts'
import {
  clearFolder,
  emptyData,
  fromFolder,
  hasData,
  openFolder,
  prepareFolder,
  sameFolder,
  type StorageFolder,
  unmake,
} from '../storage/folder.ts'
import { checkVersion, type FolderState, folderState, readMark, writeMark } from '../storage/marks.ts'
import type { ServerRecord } from '../storage/records.ts'
import { ADMIN, containerName, type Context, folderOf, LABEL, lockServer } from './context.ts'
import { expectUnclaimed, expectUnused } from './exclusion.ts'
import { firstSteps } from './first-steps.ts'
import { keepAlive, launch } from './launch.ts'
import { type Door, waitUntilReady } from './ready.ts'
import { discard } from './remove.ts'
import { checkSpec, differences, type ServerSpec, textSettings } from './spec.ts'

const LOGIN_TIMEOUT_MS = 5000

/**
 * Brings a server to life and returns when a login works. Repeated, it is the same create.
 *
 * The order of steps is what makes it safe to be killed anywhere: record, mark, container, login, mark, record.
 */
export async function createServer(context: Context, spec: ServerSpec): Promise<ServerRecord> {
  checkSpec(spec)
  const { name } = spec
  const storageDir = spec.storageDir === undefined ? undefined : folderOf(context, spec.storageDir)
  await using _lock = await lockServer(context, name)
  let known = await context.records.get(name)
  if (known !== undefined && !['running', 'stopped'].includes(known.desired)) {
    // A former create or remove was killed half-way; nobody was told about this server, or everybody that it goes.
    await discard(context, known)
    known = undefined
  }
  if (known !== undefined) {
    const fields = differences(known, spec, storageDir)
    if (fields.length > 0) {
      throw new ContainerPgError('NAME_TAKEN', `Server ${name} exists with another ${fields.join(', ')}`, {
        remedy: 'Choose another name, or ask for the same server.',
      })
    }
  }
  const record = known ?? (await newRecord(context, spec, storageDir ?? folderOf(context, name)))
  const { adminPassword: password } = spec
  // Awaited here: the lock goes when this function is left.
  return await bringUp(context, record, {
    known: known !== undefined,
    adopt: spec.adopt === true,
    portIsFree: known === undefined && spec.port === undefined,
    initScripts: spec.initScripts ?? [],
    password,
  })
}

/** Starts a server that is recorded, without a password: its door answers is all that can be known. */
export async function startServer(context: Context, record: ServerRecord): Promise<ServerRecord> {
  return bringUp(context, record, {
    known: true,
    adopt: false,
    portIsFree: false,
    initScripts: [],
    password: undefined,
  })
}

async function newRecord(context: Context, spec: ServerSpec, storageDir: string): Promise<ServerRecord> {
  return {
    name: spec.name,
    storageDir,
    port: spec.port ?? (await context.choosePort()),
    image: spec.image ?? context.image,
    limits: spec.limits ?? {},
    settings: textSettings(spec.settings ?? {}),
    databases: spec.databases ?? [],
    desired: 'creating',
    createdAt: context.now().toISOString(),
  }
}

interface Wishes {
  /** Whether the server was handed out before. */
  readonly known: boolean
  readonly adopt: boolean
  readonly portIsFree: boolean
  readonly initScripts: readonly string[]
  readonly password: string | undefined
}

async function bringUp(context: Context, wanted: ServerRecord, wishes: Wishes): Promise<ServerRecord> {
  try {
    return await bringUpOn(context, wanted, wishes)
  } catch (error) {
    throw fromFolder(wanted.storageDir, error)
  }
}

async function bringUpOn(context: Context, wanted: ServerRecord, wishes: Wishes): Promise<ServerRecord> {
  const image = await context.engine.image(wanted.image)
  if (image === undefined) throw imageMissing(wanted.image)
  // Before a folder is made: it could lie in somebody's data.
  await expectUnclaimed(context, wanted)
  await using folder = await openFolder(context.root, wanted.storageDir, { make: !wishes.known })
  await using turn = await tryLock(`storage ${folder.identity}`)
  // Whoever had the turn before may have failed, and taken away the folder that it had made.
  if (turn === undefined || (!wishes.known && !(await sameFolder(folder)))) {
    throw new ContainerPgError('STORAGE_IN_USE', `Another operation works on the folder ${folder.path}`, {
      remedy: 'Let it finish, or name another folder.',
    })
  }
  try {
    return await bringUpIn(context, folder, image, wanted, wishes)
  } catch (error) {
    // Before the turn ends: the next one may already have opened the folder.
    await unmake(folder.made)
    throw error
  }
}

async function bringUpIn(
  context: Context,
  folder: StorageFolder,
  image: ImageFacts,
  wanted: ServerRecord,
  wishes: Wishes,
): Promise<ServerRecord> {
  const { engine, records } = context
  await expectUnused(context, folder, wanted)

  const present = await engine.inspect(containerName(folder.identity))
  // What another storage root made is not ours to use or to take away, even when it does not run.
  if (present !== undefined && (present.labels[LABEL.root] !== context.root || (present.running && !wishes.known))) {
    throw holds(folder, present)
  }
  if (present?.running === true) {
    await waitUntilReady(context, present, wanted.name, doorOn(wanted.port, wishes.password))
    const record: ServerRecord = { ...wanted, desired: 'running' }
    if (wanted.desired !== 'running') await records.put(record)
    return record
  }
  if (present !== undefined) await engine.remove(present.id)

  const state = await expectUsable(folder, image, wanted, wishes)
  const fresh = state === 'empty' || state === 'half-made'
  const attempt = randomUUID()
  if (!wishes.known) await records.put(fresh ? { ...wanted, attempt } : wanted)
  const start: Start = { wanted, folder, image, fresh, wishes, attempt }
  try {
    return await startOn(context, start)
  } catch (error) {
    if (fresh || !keepsRunning(error)) await undo(context, start)
    throw error
  }
}

interface Start {
  readonly wanted: ServerRecord
  readonly folder: StorageFolder
  readonly image: ImageFacts
  /** Whether there is no data yet that was handed out. */
  readonly fresh: boolean
  readonly wishes: Wishes
  readonly attempt: string
}

async function startOn(context: Context, start: Start): Promise<ServerRecord> {
  const { wanted, folder, image, fresh, wishes, attempt } = start
  const { password, portIsFree, initScripts } = wishes
  await prepareFolder(folder)
  const prepare = async () => {
    if (!fresh) return
    await writeMark(folder, { phase: 'initialising', major: image.major })
    await emptyData(folder)
  }
  // A verifier instead of the password: this text can be seen in the container's description for ever.
  const env: Record<string, string> =
    fresh && password !== undefined ? { POSTGRES_USER: ADMIN, POSTGRES_PASSWORD: await scramVerifier(password) } : {}
  const { container, port } = await launch(context, {
    record: wanted,
    folder,
    image,
    attempt,
    env,
    prepare,
    portIsFree,
  })
  try {
    await waitUntilReady(context, container, wanted.name, doorOn(port, password))
  } catch (error) {
    // The next create then waits for this server instead of beginning again.
    if (keepsRunning(error) && !fresh) {
      await context.records.put({ ...wanted, port, desired: 'running' })
      await keepAlive(context, container.id).catch(() => {})
    }
    throw error
  }
  const scripts = fresh ? initScripts : []
  if (password !== undefined) {
    const address = { port, user: ADMIN, password, database: 'postgres' }
    await firstSteps(address, { initScripts: scripts, databases: wanted.databases }).catch((error: unknown) => {
      throw fromServer(wanted.name, error)
    })
  }
  const keeping = keepAlive(context, container.id)
  // Meant for the wait below; by then everything that was begun here has ended, and undoing can begin.
  keeping.catch(() => {})
  if (fresh) await writeMark(folder, { phase: 'ready', major: image.major, attempt })
  else if ((await readMark(folder)) === undefined) await writeMark(folder, { phase: 'ready', major: image.major })
  await keeping
  const record: ServerRecord = { ...wanted, port, desired: 'running' }
  await context.records.put(record)
  return record
}

/** The server's door; without a password all that can be known is that it would be asked for. */
function doorOn(port: number, password: string | undefined): Door {
  const knock = async (): Promise<Login> => {
    const answer = await askAtTheDoor(port, ADMIN, LOGIN_TIMEOUT_MS)
    if (answer === 'ready') return { kind: 'ok' }
    return answer === 'starting' ? { kind: 'starting' } : { kind: 'silent', cause: undefined }
  }
  if (password === undefined) return { knock, login: knock }
  return { knock, login: () => tryLogin({ port, user: ADMIN, password, database: 'postgres' }, LOGIN_TIMEOUT_MS) }
}

async function expectUsable(
  folder: StorageFolder,
  image: ImageFacts,
  wanted: ServerRecord,
  wishes: Wishes,
): Promise<FolderState> {
  const state = await folderState(folder)
  if (wishes.known && !(state === 'ready' && (await hasData(folder)))) {
    throw new ContainerPgError(
      'STORAGE_MISSING',
      `The data of server ${wanted.name} is not in ${folder.path} any more`,
      {
        remedy: 'Put the folder back, or remove the server.',
      },
    )
  }
  if (state === 'foreign' && !wishes.adopt) {
    throw new ContainerPgError(
      'STORAGE_FOREIGN',
      `The folder ${folder.path} holds data that this provisioner did not make`,
      {
        remedy: 'Set `adopt` to take it up as it is, or name an empty folder.',
      },
    )
  }
  if (state === 'ready' || state === 'foreign') await checkVersion(folder, image, wanted.image)
  return state
}

/** A server that still recovers is a healthy one: ending it would only make it begin again. */
function keepsRunning(error: unknown): boolean {
  return error instanceof ContainerPgError && error.code === 'SERVER_RECOVERING'
}

/**
 * Leaves everything as it was found. What the engine does not let us do stays recorded and is done at the next chance; where
 * another provisioner has a container on the folder, the folder is its.
 */
async function undo(context: Context, { wanted, folder, fresh, wishes, attempt }: Start): Promise<void> {
  try {
    const present = await context.engine.inspect(containerName(folder.identity))
    if (present === undefined || present.labels[ATTEMPT] === attempt) {
      if (present !== undefined) await context.engine.remove(present.id)
      if (fresh) await clearFolder(folder)
    }
  } catch {
    return
  }
  if (!wishes.known) await context.records.remove(wanted.name)
}

function holds(folder: StorageFolder, present: ContainerFacts): ContainerPgError {
  return new ContainerPgError(
    'STORAGE_IN_USE',
    `The folder ${folder.path} is in use by the container ${present.name}`,
    {
      remedy: 'Stop that one first, or name another folder.',
    },
  )
}
