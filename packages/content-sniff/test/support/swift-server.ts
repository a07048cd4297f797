import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { CreateBucketCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { freePort } from '@org/services'

import { clientFor, emptyBucket, isClean, type TestBucket } from './s3-server.ts'

const run = promisify(execFile)
const STORAGE = ['account', 'container', 'object'] as const

/** Filters of the proxy in their order; each is configured by its own name. */
const FILTERS = [
  'catch_errors',
  'gatekeeper',
  'healthcheck',
  'cache',
  'listing_formats',
  'bulk',
  's3api',
  'tempauth',
  'copy',
  'slo',
  'dlo',
  'versioned_writes',
  'symlink',
]

/** A client for Swift, or for a proxy in front of it; retries are quick. */
export function swiftClient(endpoint: string): S3Client {
  return clientFor(endpoint, {
    credentials: { accessKeyId: 'test:tester', secretAccessKey: 'testing' },
    // This version refuses the trailers that carry checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
}

/**
 * A bucket on OpenStack Swift, which speaks the S3 protocol with signatures and strict multipart rules.
 *
 * One process for each part, memcached for its tokens, everything in a folder that is removed afterwards.
 */
export async function swiftBucket(): Promise<TestBucket> {
  const root = await mkdtemp(path.join(tmpdir(), 'content-sniff-swift-'))
  const etc = path.join(root, 'etc')
  const processes: ChildProcess[] = []
  const ports = {
    proxy: await freePort(),
    cache: await freePort(),
    account: await freePort(),
    container: await freePort(),
    object: await freePort(),
  }
  const stop = async (): Promise<void> => {
    for (const child of processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(root, { recursive: true, force: true })
  }
  try {
    await mkdir(path.join(root, 'devices/d1'), { recursive: true })
    await mkdir(etc)
    await writeFile(
      path.join(etc, 'swift.conf'),
      '[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n[storage-policy:0]\nname = default\ndefault = yes\n',
    )
    const common = (port: number): string =>
      `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nworkers = 0\nswift_dir = ${etc}\nuser = ${process.env['USER'] ?? 'root'}\n`
    const prepare = async (kind: (typeof STORAGE)[number]): Promise<void> => {
      await writeFile(
        path.join(etc, `${kind}.conf`),
        `${common(ports[kind])}devices = ${root}/devices\nmount_check = false\nfallocate_reserve = 0\ndisable_fallocate = true\n[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`,
      )
      const builder = path.join(etc, `${kind}.builder`)
      await run('swift-ring-builder', [builder, 'create', '2', '1', '1'])
      await run('swift-ring-builder', [builder, 'add', `r1z1-127.0.0.1:${ports[kind]}/d1`, '100'])
      await run('swift-ring-builder', [builder, 'rebalance'])
    }
    await Promise.all(STORAGE.map(prepare))
    const filters = FILTERS.map(
      (name) =>
        `[filter:${name}]\nuse = egg:swift#${name === 'cache' ? 'memcache' : name}\n${settings(name, ports.cache)}`,
    ).join('')
    await writeFile(
      path.join(etc, 'proxy.conf'),
      `${common(ports.proxy)}[pipeline:main]\npipeline = ${FILTERS.join(' ')} proxy-server\n[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n${filters}`,
    )

    // Swift finds its hash settings in the folder of this variable.
    const options = { stdio: 'ignore', env: { ...process.env, SWIFT_CONF_FILE: path.join(etc, 'swift.conf') } } as const
    const programs = [
      ['memcached', ['-u', 'root', '-l', '127.0.0.1', '-p', String(ports.cache)]],
      ...STORAGE.map((kind) => [`swift-${kind}-server`, [path.join(etc, `${kind}.conf`)]] as const),
      ['swift-proxy-server', [path.join(etc, 'proxy.conf')]],
    ] as const
    for (const [program, args] of programs) processes.push(spawn(program, args, options))

    const endpoint = `http://127.0.0.1:${ports.proxy}`
    const client = swiftClient(endpoint)
    await answers(`${endpoint}/healthcheck`, processes)
    const bucket = 'uploads'
    await create(client, bucket, processes)
    return {
      client,
      bucket,
      endpoint,
      isClean: () => isClean(client, bucket),
      empty: () => emptyBucket(client, bucket),
      [Symbol.asyncDispose]: async () => {
        client.destroy()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function settings(filter: string, cachePort: number): string {
  if (filter === 'cache') return `memcache_servers = 127.0.0.1:${cachePort}\n`
  if (filter === 's3api') return 'location = us-east-1\n'
  if (filter === 'tempauth') return 'user_test_tester = testing .admin\n'
  return ''
}

/** Waits until the proxy answers; its parts need some seconds to start. */
async function answers(url: string, processes: readonly ChildProcess[]): Promise<void> {
  for (;;) {
    allAlive(processes)
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Makes the bucket as soon as the parts behind the proxy answer, too; until then it says that it is busy. */
async function create(client: S3Client, bucket: string, processes: readonly ChildProcess[]): Promise<void> {
  for (;;) {
    allAlive(processes)
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      return
    } catch (error) {
      if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 503) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

function allAlive(processes: readonly ChildProcess[]): void {
  const dead = processes.find((child) => child.exitCode !== null)
  if (dead !== undefined) throw new Error(`Expected ${dead.spawnfile} to run, it ended with ${String(dead.exitCode)}`)
}
