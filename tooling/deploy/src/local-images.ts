import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../../..')

/** The Debian release of the official images that these stand in for. */
const RELEASE = 'bookworm'
/** Users as the official images number them. */
const PASSWD = `root:x:0:0:root:/root:/bin/sh
redis:x:999:999::/data:/bin/sh
node:x:1000:1000::/home/node:/bin/sh
nobody:x:65534:65534::/nonexistent:/bin/false
`
const GROUP = 'root:x:0:\nredis:x:999:\nnode:x:1000:\nnogroup:x:65534:\n'
/** This machine's certificates: its registry may be reached through one of its own. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Names an image with Debian, the repository's own Node and npm, in place of `node:24-bookworm-slim`. Made from Debian's
 * packages unless it is there already.
 *
 * @throws Error naming the program that is missing, or with the end of its output.
 */
export async function ensureBaseImage(): Promise<string> {
  const { stdout: version } = await run(nodeBinary, ['--version'])
  return ensureImage({
    name: 'org-node',
    packages: ['base-files', 'bash', 'coreutils', 'dash', 'findutils', 'grep', 'libatomic1', 'libc-bin', 'libstdc++6']
      // `prlimit` limits the memory of the hub's servers, `sed` is what scripts of packages expect.
      .concat('netbase', 'sed', 'util-linux'),
    content: version,
    changes: [`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `ENV SSL_CERT_FILE=${CERTIFICATES}`, 'CMD ["node"]'],
    async fill(tree) {
      const { stdout: npm } = await run('sh', ['-c', 'readlink -f "$(command -v npm)"'])
      await mkdir(path.join(tree, 'usr/local/bin'), { recursive: true })
      await cp(nodeBinary, path.join(tree, 'usr/local/bin/node'), { dereference: true })
      const modules = path.join(tree, 'usr/local/lib/node_modules')
      await cp(path.resolve(npm.trim(), '../..'), path.join(modules, 'npm'), { recursive: true })
      await symlink('../lib/node_modules/npm/bin/npm-cli.js', path.join(tree, 'usr/local/bin/npm'))
      await mkdir(path.join(tree, 'etc/ssl/certs'), { recursive: true })
      await cp(CERTIFICATES, path.join(tree, CERTIFICATES))
    },
  })
}

/** Names an image with Debian's Redis, in place of `redis`. Made like {@link ensureBaseImage}. */
export function ensureRedisImage(): Promise<string> {
  return ensureImage({
    name: 'org-redis',
    packages: ['base-files', 'coreutils', 'dash', 'grep', 'libc-bin', 'redis-server', 'sed'],
    content: '',
    changes: ['WORKDIR /data', 'EXPOSE 6379', 'CMD ["redis-server"]'],
    async fill(tree) {
      await mkdir(path.join(tree, 'data'))
      await chown(path.join(tree, 'data'), 999, 999)
    },
  })
}

interface Recipe {
  readonly name: string
  readonly packages: readonly string[]
  /** What else the image depends on, beside this file and the packages. */
  readonly content: string
  /** Lines of a Dockerfile. */
  readonly changes: readonly string[]
  /** Puts files beside those of the packages. */
  readonly fill: (tree: string) => Promise<void>
}

const nodeBinary = path.join(root, 'node_modules/node/bin/node')

async function ensureImage(recipe: Recipe): Promise<string> {
  const hash = createHash('sha256').update(await readFile(import.meta.filename))
  const tag = `${recipe.name}:${hash.update(recipe.content).digest('hex').slice(0, 12)}`
  const there = await run('docker', ['image', 'inspect', tag]).then(
    () => true,
    () => false,
  )
  if (!there) await build(tag, recipe)
  return tag
}

async function build(tag: string, { packages, changes, fill }: Recipe): Promise<void> {
  const staging = await mkdtemp(path.join(tmpdir(), 'image-'))
  try {
    const tree = path.join(staging, 'tree')
    const without = ['doc', 'info', 'locale', 'man'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`)
    await run(
      'mmdebstrap',
      // Unpacked and not set up: no package manager, no scripts, a fifth of the size.
      ['--quiet', '--variant=extract', '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr', ...without].concat(
        `--include=${packages.join(',')}`,
        RELEASE,
        tree,
      ),
    )
    await writeFile(path.join(tree, 'etc/passwd'), PASSWD)
    await writeFile(path.join(tree, 'etc/group'), GROUP)
    await writeFile(path.join(tree, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n')
    await fill(tree)
    const archive = path.join(staging, 'image.tar')
    await run('tar', ['--create', '--file', archive, '--numeric-owner', '--directory', tree, '.'])
    const all = ['ENV PATH=/usr/local/bin:/usr/bin:/bin', 'LABEL org.test-image=deploy', ...changes]
    await run('docker', ['import', ...all.flatMap((line) => ['--change', line]), archive, tag])
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}
