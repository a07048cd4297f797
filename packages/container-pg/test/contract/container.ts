import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'

import { ensurePostgresImage } from '@org/services'
import Docker from 'dockerode'
import { Client } from 'pg'
import { vi } from 'vitest'

import { runOfThisFile } from '../provisioner/fixtures.ts'

const docker = new Docker()

/** A container of the image under test. */
export class Container implements AsyncDisposable {
  readonly #container: Docker.Container

  private constructor(container: Docker.Container) {
    this.#container = container
  }

  static async start(options: Omit<Docker.ContainerCreateOptions, 'Image'> = {}): Promise<Container> {
    const container = await docker.createContainer({
      ...options,
      Image: await ensurePostgresImage(),
      Labels: (await runOfThisFile()).labels,
      HostConfig: { PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] }, ...options.HostConfig },
    })
    await container.start()
    return new Container(container)
  }

  /** Waits for the end and tells its exit code. */
  async exit(): Promise<number> {
    return ((await this.#container.wait()) as { StatusCode: number }).StatusCode
  }

  async stop(): Promise<number> {
    await this.#container.stop({ t: 60 })
    return this.exit()
  }

  async restart(): Promise<void> {
    await this.#container.start()
  }

  inspect(): Promise<Docker.ContainerInspectInfo> {
    return this.#container.inspect()
  }

  async log(): Promise<string> {
    const raw = (await this.#container.logs({ stdout: true, stderr: true })) as unknown as Buffer
    const plain: string[] = []
    // Each frame has a head of eight bytes; the last four are its length.
    for (let at = 0; at + 8 <= raw.length; at += 8 + raw.readUInt32BE(at + 4)) {
      plain.push(raw.toString('utf8', at + 8, at + 8 + raw.readUInt32BE(at + 4)))
    }
    return plain.join('')
  }

  /** Runs a program inside and gives what it wrote, without the last line break. */
  async run(...command: string[]): Promise<string> {
    const exec = await this.#container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true })
    const stream = await exec.start({ hijack: true, stdin: false })
    const all = new PassThrough()
    docker.modem.demuxStream(stream, all, all)
    stream.on('end', () => all.end())
    return (await text(all)).trimEnd()
  }

  /** Waits until the port lets somebody in. */
  async ready(login: { readonly user?: string; readonly password?: string } = {}): Promise<void> {
    await vi.waitFor(() => this.query('SELECT 1', login), { timeout: 30_000, interval: 100 })
  }

  /** Runs a statement through the published port and gives its rows as lists. */
  async query(
    statement: string,
    login: { readonly user?: string; readonly password?: string; readonly database?: string } = {},
  ): Promise<unknown[][]> {
    const { NetworkSettings } = await this.inspect()
    const port = Number(NetworkSettings.Ports['5432/tcp']?.[0]?.HostPort)
    const client = new Client({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      password: 'secret',
      database: 'postgres',
      ...login,
    })
    // A connection that breaks says so twice: here, and to who waits for an answer.
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<unknown[]>({ text: statement, rowMode: 'array' })).rows
    } finally {
      await client.end()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#container.remove({ force: true, v: true })
  }
}

/** What a container that ends by itself wrote, and its exit code. */
export async function runToEnd(
  options: Omit<Docker.ContainerCreateOptions, 'Image'>,
): Promise<{ code: number; log: string }> {
  await using container = await Container.start(options)
  const code = await container.exit()
  return { code, log: await container.log() }
}
