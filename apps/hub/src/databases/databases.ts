import path from 'node:path'
import { randomBytes } from 'node:crypto'

import type { ContainerPgError, Provisioner, Server } from '@org/container-pg'

import type { Config } from '../config/config.ts'
import { RequestError } from '../errors.ts'
import type { User } from '../store/users.ts'

/** A personal database as its owner sees it. */
export interface PersonalDatabase {
  readonly name: string
  readonly state: Server['state']
  readonly host: string
  readonly port: number
  readonly user: string
  readonly created: string
}

/** A database just made: the only time its password can be read. */
export interface NewDatabase extends PersonalDatabase {
  readonly password: string
  /** For psql and every driver. */
  readonly url: string
}

/** Personal Postgres servers, one provisioner for all users; made when it is first needed. */
export class Databases {
  readonly #config: Config
  #provisioner: Promise<Provisioner> | undefined

  constructor(config: Config) {
    this.#config = config
  }

  /** Where the provisioner keeps data and records. */
  get root(): string {
    return path.join(this.#config.data_dir, 'databases')
  }

  /**
   * A user's databases, by name.
   *
   * @throws {@link RequestError} 503 with a remedy when there is no engine.
   */
  async list(user: User): Promise<PersonalDatabase[]> {
    const servers = await this.#ask((provisioner) => provisioner.list())
    const prefix = prefixOf(user)
    return servers.filter(({ name }) => name.startsWith(prefix)).map((server) => view(server, prefix))
  }

  /** One database of a user. @throws {@link RequestError} 404, 503 */
  async get(user: User, name: string): Promise<PersonalDatabase> {
    const found = (await this.list(user)).find((each) => each.name === name)
    if (found === undefined) throw new RequestError(404, `There is no database ${name}`)
    return found
  }

  /** Makes a database and waits until a login works. @throws {@link RequestError} 400, 409, 503 */
  async create(user: User, name: string): Promise<NewDatabase> {
    if (!/^[a-z][a-z0-9_-]{0,30}$/.test(name)) {
      throw new RequestError(400, 'A name begins with a letter and has up to 31 lower-case letters, digits, - and _')
    }
    const mine = await this.list(user)
    if (mine.some((each) => each.name === name)) throw new RequestError(409, `There is a database ${name} already`)
    if (mine.length >= this.#config.databases.per_user) {
      throw new RequestError(400, `You have ${mine.length} databases; that is the most. Delete one first`)
    }
    const password = randomBytes(24).toString('base64url')
    const server = await this.#ask((provisioner) =>
      provisioner.create({
        name: serverName(user, name),
        adminPassword: password,
        limits: { memoryMiB: this.#config.databases.memory_mb },
      }),
    )
    const made = view(server, prefixOf(user))
    const url = `postgres://${made.user}:${password}@${made.host}:${made.port}/postgres`
    return { ...made, password, url }
  }

  async start(user: User, name: string): Promise<void> {
    await this.get(user, name)
    await this.#ask((provisioner) => provisioner.start(serverName(user, name)))
  }

  async stop(user: User, name: string): Promise<void> {
    await this.get(user, name)
    await this.#ask((provisioner) => provisioner.stop(serverName(user, name)))
  }

  /** Deletes a database with its data. */
  async remove(user: User, name: string): Promise<void> {
    await this.get(user, name)
    await this.#ask((provisioner) => provisioner.remove(serverName(user, name), { keepData: false }))
  }

  async #ask<Result>(question: (provisioner: Provisioner) => Promise<Result>): Promise<Result> {
    const { enabled, image } = this.#config.databases
    if (!enabled) throw new RequestError(404, 'Personal databases are switched off')
    // Loaded when somebody first asks: with the engine's client it is a third of the hub's memory.
    const { ContainerPgError, createProvisioner } = await import('@org/container-pg')
    this.#provisioner ??= createProvisioner({
      storageRoot: this.root,
      image,
      docker: { socketPath: this.#config.docker.socket },
    })
    try {
      return await question(await this.#provisioner)
    } catch (error) {
      if (!(error instanceof ContainerPgError)) throw error
      this.#provisioner = undefined
      const remedy = error.remedy === undefined ? '' : ` ${error.remedy}`
      throw new RequestError(statusOf(error), `${error.message}.${remedy}`.replace('..', '.'))
    }
  }
}

/** Keys are given out again in SQLite; this is a name that no later user gets. */
function prefixOf(user: User): string {
  return `u${user.cookie_id.replaceAll('-', '').slice(0, 16)}-`
}

/** The provisioner's name of a user's database. */
export function serverName(user: User, name: string): string {
  return `${prefixOf(user)}${name}`
}

function view(server: Server, prefix: string): PersonalDatabase {
  const { host, port, user } = server.connection
  return { name: server.name.slice(prefix.length), state: server.state, host, port, user, created: server.createdAt }
}

function statusOf({ code }: ContainerPgError): number {
  if (code === 'NOT_FOUND') return 404
  if (code === 'INVALID_INPUT' || code === 'NAME_TAKEN') return 400
  return 503
}
