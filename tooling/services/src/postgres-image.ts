import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { globSync, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sources = path.join(import.meta.dirname, '../postgres-image')

const PROGRAMS = (
  'bash sh cat chmod chown cp date df env find flock grep gunzip gzip head id ls mkdir mv ps readlink rm sed setpriv sleep stat tail ' +
  'test touch true wc xz zstd'
).split(' ')
// Their versions name the image.
const PACKAGES = [
  'bash',
  'coreutils',
  'findutils',
  'libc6',
  'libnss-wrapper',
  'util-linux',
  'tzdata',
  'xz-utils',
  'zstd',
]

let image: Promise<string> | undefined

/**
 * Names a Postgres image that the local Docker engine has, for tests.
 *
 * Takes `POSTGRES_IMAGE` when it is set. Otherwise builds a small one from the Debian packages of this machine, unless
 * one of the same content is there already. Never pulls. Asked once a process; processes wait for each other.
 *
 * @throws Error when a package is missing or the engine refuses the build.
 */
export function ensurePostgresImage(): Promise<string> {
  image ??= findOrBuild()
  return image
}

async function findOrBuild(): Promise<string> {
  const given = process.env['POSTGRES_IMAGE']
  if (given !== undefined && given !== '') return given
  const bin = globSync('/usr/lib/postgresql/*/bin/postgres').toSorted().at(-1)
  if (bin === undefined) throw new Error('Expected Debian’s postgresql for the test image: apt-get install postgresql')
  const major = bin.split('/')[4] ?? ''
  const tag = `org-postgres:${major}-${await fingerprint(major)}`
  if (await exists(tag)) return tag
  await using _turn = await waitForTurn(tag)
  if (!(await exists(tag))) await build(tag, major)
  return tag
}

async function fingerprint(major: string): Promise<string> {
  const packages = [...PACKAGES, `postgresql-${major}`, `postgresql-client-${major}`]
  const { stdout } = await run('dpkg-query', ['-W', '-f', '${Package} ${Version}\n', ...packages]).catch(
    (error: unknown) => {
      throw new Error(`The test image needs these Debian packages: ${packages.join(' ')}`, { cause: error })
    },
  )
  const hash = createHash('sha256').update(stdout)
  for (const file of ['Dockerfile', 'docker-entrypoint.sh']) hash.update(readFileSync(path.join(sources, file)))
  return hash
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 12)
}

/** One builder a machine: a name in the abstract socket space, which the kernel frees when its holder dies. */
async function waitForTurn(name: string): Promise<AsyncDisposable> {
  for (;;) {
    const server = createServer().listen(`\0build-${name}`)
    try {
      await once(server, 'listening')
      return {
        async [Symbol.asyncDispose]() {
          server.close()
          await once(server, 'close')
        },
      }
    } catch {
      await delay(100)
    }
  }
}

async function build(tag: string, major: string): Promise<void> {
  const staging = await mkdtemp(path.join(tmpdir(), 'postgres-image-'))
  try {
    const list = path.join(staging, 'files')
    await writeFile(list, (await hostFiles(major)).map((file) => `.${file}\n`).join(''))
    await writeOverlay(path.join(staging, 'overlay'), major)
    const dockerfile = await readFile(path.join(sources, 'Dockerfile'), 'utf8')
    await writeFile(path.join(staging, 'Dockerfile'), dockerfile.replaceAll('@MAJOR@', major))
    // Files of the machine start with "./" and go below rootfs; targets of symbolic links stay as they are.
    const own = ['-C', staging, 'Dockerfile', 'overlay']
    const tar = spawn(
      'tar',
      ['-c', '--numeric-owner', '--transform', 's,^\\./,rootfs/,S', ...own, '-C', '/', '--no-recursion', '-T', list],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const labels = encodeURIComponent(JSON.stringify({ 'org.test-image': 'postgres' }))
    const response = await engine(
      'POST',
      `/build?version=1&rm=1&forcerm=1&t=${encodeURIComponent(tag)}&labels=${labels}`,
      tar.stdout,
    )
    const lines = (await text(response)).trim().split('\n')
    const failure = lines
      .map((line) => JSON.parse(line) as { error?: string; message?: string })
      .map((line) => line.error ?? line.message)
      .find((message) => message !== undefined)
    if (failure !== undefined) throw new Error(`The engine did not build the test image: ${failure}`)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function writeOverlay(overlay: string, major: string): Promise<void> {
  const share = `usr/share/postgresql/${major}`
  for (const folder of [
    'etc',
    'usr/bin',
    'usr/lib',
    'root',
    share,
    'docker-entrypoint-initdb.d',
    'proc',
    'sys',
    'dev',
  ]) {
    await mkdir(path.join(overlay, folder), { recursive: true })
  }
  const put = (file: string, content: string) => writeFile(path.join(overlay, file), content)
  await put('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\npostgres:x:999:999::/var/lib/postgresql:/bin/bash\n')
  await put('etc/group', 'root:x:0:\npostgres:x:999:\n')
  await put('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n')
  const sample = await readFile(`/${share}/postgresql.conf.sample`, 'utf8')
  await put(`${share}/postgresql.conf.sample`, sample.replace(/^#?listen_addresses = .*/m, "listen_addresses = '*'"))
  await copyFile(path.join(sources, 'docker-entrypoint.sh'), path.join(overlay, 'usr/bin/docker-entrypoint.sh'))
  await copyFile(globSync('/usr/lib/*/libnss_wrapper.so')[0] ?? '', path.join(overlay, 'usr/lib/libnss_wrapper.so'))
  for (const folder of ['tmp', 'var/lib/postgresql/data', 'var/run/postgresql']) {
    await mkdir(path.join(overlay, folder), { recursive: true })
    await chmod(path.join(overlay, folder), 0o1777)
  }
}

/** Every file of the machine that goes into the image: the programs, what they load, and Postgres' shared files. */
async function hostFiles(major: string): Promise<string[]> {
  const programs = PROGRAMS.map((name) => `/usr/bin/${name}`)
  const server = globSync(`/usr/lib/postgresql/${major}/bin/*`)
  const modules = globSync(`/usr/lib/postgresql/${major}/lib/*.so`).filter(
    (file) => !/llvmjit|plperl|plpython|pltcl/.test(file),
  )
  // ldd answers with an error when one of many files is a script or static.
  const { stdout } = await run('ldd', [...programs, ...server, ...modules], { maxBuffer: 1 << 26 }).catch(
    (error: { stdout: string }) => error,
  )
  const libraries = new Set([...stdout.matchAll(/(\/\S+\.so\S*) \(0x/g)].map(([, file]) => file ?? ''))
  const folders = [`/usr/share/postgresql/${major}`, '/usr/share/zoneinfo', '/usr/lib/locale/C.utf8']
  const shared = folders.flatMap((folder) => globSync(`${folder}/**`).filter((file) => !file.includes('/man/')))
  const found = new Set<string>()
  for (const file of ['/bin', '/sbin', '/lib', '/lib64', ...programs, ...server, ...modules, ...libraries, ...shared]) {
    addWithLinks(file, found)
  }
  return [...found].toSorted()
}

/** Adds a file under its real folder, and where it is a link also what it points to. */
function addWithLinks(file: string, found: Set<string>): void {
  const at = path.join(realpathSync(path.dirname(file)), path.basename(file))
  if (found.has(at)) return
  const kind = lstatSync(at)
  if (kind.isDirectory()) return
  found.add(at)
  if (!kind.isSymbolicLink()) return
  const target = path.resolve(path.dirname(at), readlinkSync(at))
  addWithLinks(target, found)
}

async function exists(tag: string): Promise<boolean> {
  const response = await engine('GET', `/images/${encodeURIComponent(tag)}/json`)
  response.resume()
  return response.statusCode === 200
}

async function engine(method: string, url: string, body?: NodeJS.ReadableStream): Promise<IncomingMessage> {
  const socketPath = process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'
  const call = request({ socketPath, method, path: url, headers: { 'content-type': 'application/x-tar' } })
  if (body === undefined) call.end()
  else body.pipe(call)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return response
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
